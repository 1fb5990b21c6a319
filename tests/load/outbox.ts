import { readPositionals } from '@bigtech/service-kit'
import { createTestMongo } from '@bigtech/testkit'
import mongoose from 'mongoose'
import { collections, indexes } from '../../services/chat-service/src/modules/messages/log/documents.ts'
import { draftOf } from '../../services/chat-service/src/modules/messages/log/message-factory.ts'
import { sentRecord } from '../../services/chat-service/src/modules/messages/publishing/message-events.ts'
import { indexTokens } from '../../services/chat-service/src/modules/messages/search/search-tokens.ts'

const usage = `Usage: node tests/load/outbox.ts
What it costs MongoDB to store and publish a message: batches of 24, as durable as the service's, by the driver alone.
Compares the log as the outbox with what it replaced: an event, a mark and search tokens inside each message.
Takes about 25 s.

    BIGTECH_SERVERS_FILE=... node tests/load/outbox.ts`

readPositionals(usage)
const BATCH = 24
const ROUNDS = 5
const ROUND_MS = 1_500
const CONTENT = '안녕하세요, 내일 회의는 세 시입니다. See you there!'
const DURABLE = { writeConcern: { w: 'majority', j: true } } as const

type Db = NonNullable<mongoose.Connection['db']>
type Document = ReturnType<ReturnType<typeof draftOf>['at']>

interface Variant {
  readonly name: string
  readonly indexes: (typeof indexes)[string]
  readonly toStore: (document: Document) => object
  /** Until the batch counts as published. */
  readonly publish: (db: Db, collection: string, ids: readonly string[]) => Promise<unknown>
}

const present = indexes[collections.messages]!
const others = present.filter(({ name }) => name !== 'created')
const pending = {
  name: 'pending',
  key: { created_at: 1, _id: 1 },
  partialFilterExpression: { pending: true },
}

const unmark: Variant['publish'] = async (db, name, ids) => {
  const collection = db.collection<{ _id: string }>(name)
  await collection
    .find({ pending: true }, { sort: { created_at: 1, _id: 1 }, limit: 500, projection: { tokens: 0 } })
    .toArray()
  const update = { $unset: { pending: true, outbox: true } }
  await collection.updateMany({ _id: { $in: [...ids] } }, update as never, DURABLE)
}
const advance: Variant['publish'] = async (db, name, ids) => {
  const read = { limit: 500, projection: { tokens: 0 } }
  await db
    .collection<{ _id: string }>(name)
    .find({ _id: { $in: [...ids] } }, read)
    .toArray()
  const updateOne = { filter: { _id: 1 }, update: { $max: { published_seq: ids.length } }, upsert: true }
  await db.collection<{ _id: number }>('room_heads').bulkWrite([{ updateOne }], DURABLE)
}

const withEvent = (document: Document) => ({ ...document, pending: true, outbox: [sentRecord(document)] })
const withTokens = (document: Document) => ({ ...withEvent(document), tokens: indexTokens(document.content) })
const tokens = { name: 'tokens', key: { room_id: 1, tokens: 1, created_at: -1 } } as const
const variants: Variant[] = [
  {
    name: 'event, mark, tokens',
    indexes: [...others, pending, tokens],
    toStore: withTokens,
    publish: unmark,
  },
  { name: 'event, mark', indexes: [...others, pending], toStore: withEvent, publish: unmark },
  { name: 'log is the outbox', indexes: present, toStore: (document) => document, publish: advance },
]

async function measure(db: Db, index: number, variant: Variant, positions: number[]): Promise<number> {
  const collection = db.collection<{ _id: string }>(`log_${index}`)
  const startedAt = performance.now()
  let stored = 0
  while (performance.now() - startedAt < ROUND_MS) {
    const documents = Array.from({ length: BATCH }, () => {
      const draft = draftOf(
        {
          roomId: 1,
          userId: 1,
          username: 'load',
          content: CONTENT,
          messageType: 'text',
          clientMessageId: crypto.randomUUID(),
        },
        'load',
      )
      positions[index] = (positions[index] ?? 0) + 1
      return draft.at(positions[index], Date.now())
    })
    await collection.insertMany(documents.map(variant.toStore) as { _id: string }[], {
      ordered: true,
      ...DURABLE,
    })
    await variant.publish(
      db,
      `log_${index}`,
      documents.map(({ _id }) => _id),
    )
    stored += BATCH
  }
  return stored / ((performance.now() - startedAt) / 1_000)
}

const mongo = createTestMongo()
const connection = await mongoose.createConnection(mongo.url).asPromise()
try {
  const db = connection.db!
  for (const [index, variant] of variants.entries())
    await db.collection(`log_${index}`).createIndexes([...variant.indexes])
  const positions: number[] = []
  const rates = variants.map((): number[] => [])
  // In turns: what else the machine does then slows all of them down alike.
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, variant] of variants.entries())
      rates[index]!.push(await measure(db, index, variant, positions))
  for (const [index, { name }] of variants.entries()) {
    const sorted = rates[index]!.sort((a, b) => a - b)
    process.stdout.write(
      `${name.padEnd(32)}${Math.round(sorted[Math.floor(ROUNDS / 2)]!)
        .toString()
        .padStart(6)}/s\n`,
    )
  }
} finally {
  await connection.close()
  await mongo.drop()
}
