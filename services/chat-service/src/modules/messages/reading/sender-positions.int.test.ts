import { StoreMetrics, StoreUnavailable } from '@bigtech/service-kit'
import { createTestMongo, type TestMongo, waitFor } from '@bigtech/testkit'
import mongoose, { type Connection } from 'mongoose'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { upTo } from '../../../../testing/rooms.ts'
import { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { type ReadPosition, ReadPositionRepository } from './read-positions.repository.ts'
import { SenderPositions } from './sender-positions.ts'

let mongo: TestMongo
let connection: Connection
let lastRoom = 0

beforeAll(async () => {
  mongo = createTestMongo()
  connection = await mongoose.createConnection(mongo.url).asPromise()
})
afterAll(async () => {
  await connection?.close()
  await mongo?.drop()
})

/** Counts the writes, delays each until `gate` resolves, and loses the next one on request. */
class WatchedPositions extends ReadPositionRepository {
  readonly writes: (readonly ReadPosition[])[] = []
  gate: Promise<void> = Promise.resolve()
  losesNext = false

  override async advance(positions: readonly ReadPosition[]): Promise<void> {
    if (positions.length > 0) this.writes.push(positions)
    await this.gate
    if (this.losesNext) {
      this.losesNext = false
      throw new StoreUnavailable('mongodb', new Error('lost'))
    }
    await super.advance(positions)
  }
}

function setUp() {
  const repository = new WatchedPositions(new MongoStore(connection, new StoreMetrics(new Registry())))
  const failures: unknown[] = []
  const senders = new SenderPositions(repository, (err) => failures.push(err))
  const roomId = ++lastRoom
  const sent = (userId: number, seq: number, messageType: 'text' | 'system' = 'text') => [
    { roomId, userId, seq, messageType },
  ]
  return { repository, senders, failures, roomId, sent }
}

it("senders' positions that arrive after a write share the next one, and only the newest of each is stored", async () => {
  const { repository, senders, roomId, sent } = setUp()
  const gate = Promise.withResolvers<void>()
  repository.gate = gate.promise
  senders.add(sent(1, 1))
  await waitFor(() => repository.writes.length === 1)
  for (const seq of [2, 3, 4]) senders.add(sent(1 + (seq % 2), seq))
  senders.add(sent(1, 5, 'system'))
  expect(repository.writes).toEqual([[{ roomId, userId: 1, seq: 1 }]])
  gate.resolve()
  await waitFor(() => repository.writes.length === 2)
  await senders.settle()
  expect(repository.writes.slice(1)).toEqual([
    [
      { roomId, userId: 1, seq: 4 },
      { roomId, userId: 2, seq: 3 },
    ],
  ])
  expect(await repository.ofUser(1, roomId)).toEqual({ shown: 4, own: 4 })
})

it("a sender's position that could not be stored is stored by the repair, and one that was stored is not written again", async () => {
  const { repository, senders, failures, roomId, sent } = setUp()
  repository.losesNext = true
  senders.add(sent(1, 1))
  await waitFor(() => failures.length === 1)
  expect(await repository.ofUser(1, roomId)).toEqual({ shown: 0, own: 0 })
  await senders.repair(sent(1, 1))
  expect(await repository.ofUser(1, roomId)).toEqual({ shown: 1, own: 1 })
  await senders.repair(sent(1, 1))
  expect(repository.writes).toHaveLength(2)
  await senders.repair(sent(1, 2))
  expect(repository.writes).toHaveLength(3)
})

it("senders' positions that wait are stored by the next repair, or when the process stops, without a second write", async () => {
  const { repository, senders, roomId, sent } = setUp()
  senders.add(sent(1, 1))
  await waitFor(() => repository.writes.length === 1)
  senders.add(sent(1, 2))
  await senders.repair(sent(2, 3))
  expect(repository.writes[1]).toEqual([
    { roomId, userId: 1, seq: 2 },
    { roomId, userId: 2, seq: 3 },
  ])
  senders.add(sent(2, 4))
  await senders.settle()
  expect(repository.writes.slice(2)).toEqual([[{ roomId, userId: 2, seq: 4 }]])
})

it("senders' positions of a large room are stored by several writes", async () => {
  const { repository, senders, roomId, sent } = setUp()
  await senders.repair(upTo(450).flatMap((userId) => sent(userId, userId)))
  expect(repository.writes.map(({ length }) => length)).toEqual([200, 200, 50])
  expect(await repository.ofUser(450, roomId)).toEqual({ shown: 450, own: 450 })
})
