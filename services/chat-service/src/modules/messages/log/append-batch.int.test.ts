import { StoreMetrics } from '@bigtech/service-kit'
import { createTestMongo, type TestMongo } from '@bigtech/testkit'
import mongoose, { type Connection } from 'mongoose'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { upTo } from '../../../../testing/rooms.ts'
import { MongoStore } from '../../../infrastructure/mongo-store.ts'
import type { MessageRecord } from '../message.ts'
import { MessageAppender } from './append.ts'
import { MessageRepository } from './message.repository.ts'
import { draftOf } from './message-factory.ts'
import type { CreationCursor } from './room-log.repository.ts'

let mongo: TestMongo
let connection: Connection

beforeAll(async () => {
  mongo = createTestMongo()
  connection = await mongoose.createConnection(mongo.url).asPromise()
})
afterAll(async () => {
  await connection?.close()
  await mongo?.drop()
})

/**
 * A store that loses responses of completed inserts as if the connection broke, refuses inserts as if the primary changed, or lets another
 * writer win a position.
 */
class TroubledStore extends MongoStore {
  lose = 0
  refusals = 0
  beforeInsert: () => Promise<unknown> = async () => undefined

  override async run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    if (operation === 'messages.insert') await this.beforeInsert()
    if (operation === 'messages.insert' && this.refusals > 0) {
      this.refusals--
      const refusal = new mongoose.mongo.MongoServerError({ message: 'not primary', code: 10_107 })
      return super.run(operation, () => Promise.reject(refusal))
    }
    const result = await super.run(operation, work)
    if (operation !== 'messages.insert' || this.lose === 0) return result
    this.lose--
    throw new mongoose.mongo.MongoNetworkError('connection closed')
  }
}

async function setUp() {
  const store = new TroubledStore(connection, new StoreMetrics(new Registry()))
  const repository = new MessageRepository(store)
  await repository.prepare()
  const told: MessageRecord[] = []
  const appender = new MessageAppender({
    log: repository.messages,
    findByClientId: (...key) => repository.findByClientId(...key),
    onStored: (_roomId, messages) => void told.push(...messages),
  })
  const send = (roomId: number, content: string, clientMessageId?: string) =>
    appender.append(
      draftOf({ roomId, userId: 1, username: 'a', content, messageType: 'text', clientMessageId }, 'test'),
    )
  const contents = async (roomId: number) =>
    (await repository.history(roomId, { after: 0, before: 1_000, order: 'oldest', limit: 500 })).map(
      ({ seq, content }) => `${seq} ${content}`,
    )
  return { store, repository, send, contents, told }
}

it('a retry inside a batch gets the stored message, a reused id with another body is rejected, and the other entries keep their order', async () => {
  const { send, contents, told } = await setUp()
  await send(1, 'first', 'r-1')
  // Sent in one turn of the event loop, which makes one batch.
  const answers = await Promise.allSettled([
    send(1, 'a'),
    send(1, 'b', 'b-1'),
    send(1, 'first', 'r-1'),
    send(1, 'c'),
    send(1, 'other', 'r-1'),
    send(1, 'd'),
  ])
  expect(
    answers.map((each) => (each.status === 'fulfilled' ? each.value.message.seq : each.reason.code)),
  ).toEqual([2, 3, 1, 4, 'MESSAGE_ID_REUSED', 5])
  expect(await contents(1)).toEqual(['1 first', '2 a', '3 b', '4 c', '5 d'])
  expect(told.map(({ seq }) => seq)).toEqual(upTo(5))
})

it('a lost response neither stores a message twice nor hides it from the streams', async () => {
  const { store, send, contents, told } = await setUp()
  for (const n of upTo(10)) {
    store.lose = n % 2
    await Promise.all(upTo(5).map((m) => send(2, `${n}.${m}`)))
  }
  expect(await contents(2)).toEqual(
    upTo(10).flatMap((n) => upTo(5).map((m) => `${(n - 1) * 5 + m} ${n}.${m}`)),
  )
  expect(told.map(({ seq }) => seq)).toEqual(upTo(50))
})

it('a full queue rejects immediately, and its queued messages are stored', async () => {
  const { send, contents } = await setUp()
  const answers = await Promise.allSettled(upTo(600).map((n) => send(3, `${n}`)))
  const refused = answers.filter((each) => each.status === 'rejected')
  expect(refused.length).toBe(100)
  for (const { reason } of refused) expect(reason.code).toBe('OVERLOADED')
  expect(await contents(3)).toEqual(upTo(500).map((n) => `${n} ${n}`))
})

it('a writer that loses 25 races in a row retries immediately and is stored', async () => {
  const { store, send, contents } = await setUp()
  const busy = await setUp()
  let taken = 0
  store.beforeInsert = async () => taken < 25 && (await busy.send(4, `busy ${++taken}`))
  expect((await send(4, 'patient')).message.seq).toBe(26)
  expect(await contents(4)).toHaveLength(26)
})

it('messages sent while the primary changes are stored once and in order', async () => {
  const { store, send, contents } = await setUp()
  await send(5, 'before')
  store.refusals = 3
  await Promise.all(['a', 'b'].map((content) => send(5, content)))
  expect(await contents(5)).toEqual(['1 before', '2 a', '3 b'])
})

it('pages by creation time name the newest position of every room, whatever the size of the page', async () => {
  const { repository, send } = await setUp()
  const since = new Date()
  const rooms = [11, 12, 13]
  // Sent at once, so that many entries have the same time.
  await Promise.all(upTo(30).map((n) => send(rooms[n % 3]!, `${n}`)))
  const heads = new Map<number, number>()
  for (const roomId of rooms) {
    const { position } = await repository.messages.readHead(roomId)
    if (position > 0) heads.set(roomId, position)
  }
  for (const limit of [1, 4, 30, 31]) {
    const found = new Map<number, number>()
    let from: CreationCursor | undefined = { at: since }
    for (let pages = 0; from; pages++) {
      const { newest, next } = await repository.messages.createdFrom(from, limit)
      for (const [roomId, position] of newest) found.set(roomId, Math.max(found.get(roomId) ?? 0, position))
      from = next
      expect(pages).toBeLessThanOrEqual(30)
    }
    expect([...found].sort(), `pages of ${limit}`).toEqual([...heads].sort())
  }
})
