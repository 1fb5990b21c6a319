import { StoreMetrics, StoreUnavailable } from '@bigtech/service-kit'
import { createTestMongo, type TestMongo, waitFor } from '@bigtech/testkit'
import mongoose, { type Connection } from 'mongoose'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
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

it("senders' positions that arrive during a write share the next one, and only the newest of each is stored", async () => {
  const { repository, senders, roomId, sent } = setUp()
  const gate = Promise.withResolvers<void>()
  repository.gate = gate.promise
  const done: number[] = []
  senders.add(sent(1, 1), () => done.push(1))
  await waitFor(() => repository.writes.length === 1)
  for (const seq of [2, 3, 4]) senders.add(sent(1 + (seq % 2), seq), () => done.push(seq))
  senders.add(sent(1, 5, 'system'), () => done.push(5))
  expect(repository.writes).toEqual([[{ roomId, userId: 1, seq: 1 }]])
  expect(done).toEqual([])
  gate.resolve()
  await senders.settle()
  expect(done).toEqual([1, 2, 3, 4, 5])
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
  let isDone = false
  senders.add(sent(1, 1), () => {
    isDone = true
  })
  await waitFor(() => isDone)
  expect(failures).toHaveLength(1)
  expect(await repository.ofUser(1, roomId)).toEqual({ shown: 0, own: 0 })
  await senders.repair(sent(1, 1))
  expect(await repository.ofUser(1, roomId)).toEqual({ shown: 1, own: 1 })
  await senders.repair(sent(1, 1))
  expect(repository.writes).toHaveLength(2)
  await senders.repair(sent(1, 2))
  expect(repository.writes).toHaveLength(3)
})
