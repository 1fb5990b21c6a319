import { pairStateAnnounced } from '@bigtech/contracts'
import type { Fact, ServiceOperations } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import mongoose from 'mongoose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../testing/chat.ts'
import { openOperations } from './operations.ts'

let chat: TestChat
let operations: ServiceOperations

beforeAll(async () => {
  chat = await startTestChat()
  const { DATABASE_URL, MONGO_URL } = chat.config
  operations = await openOperations({ DATABASE_URL, MONGO_URL })
}, 60_000)
afterAll(async () => {
  await operations?.close()
  await chat?.close()
})

/** Returns the findings of `verify` about one room and its users, without the fixed mark. */
async function findings(roomId: number, users: readonly number[], fix = false): Promise<string[]> {
  const subjects = [`room ${roomId}`, ...users.map((user) => `user ${user}`)]
  const found = (await operations.verify?.({ fix })) ?? []
  return found
    .filter(({ subject }) => subjects.some((each) => subject === each || subject.startsWith(`${each},`)))
    .map(({ subject, detail }) => `${subject} ${detail}`)
}

it('verify finds and repairs stored counts that differ from the counted data', async () => {
  const [ann, bob] = await chat.people(2)
  await chat.befriend(ann, bob)
  const { body: room } = await chat.as(ann, 'POST', '/rooms', { name: 'figures', member_ids: [bob] })
  await chat.as(ann, 'POST', `/messages/${room.room_id}`, { content: 'hello' })
  const people = [ann, bob]
  expect(await findings(room.room_id, people)).toEqual([])

  await chat.mysql.query('UPDATE rooms SET member_count = 7, last_seq = 99 WHERE id = ?', [room.room_id])
  await chat.mysql.query('DELETE FROM room_counts WHERE user_id = ?', [bob])
  const found = await findings(room.room_id, people)
  expect(found).toContain(`room ${room.room_id} has 2 members, but the stored count is 7`)
  expect(found).toContain(`user ${bob} is in 1 rooms, but the stored count is 0`)
  expect(found.some((each) => /ends with message \d, but the stored head is 99/.test(each))).toBe(true)

  await findings(room.room_id, people, true)
  expect(await findings(room.room_id, people)).toEqual([])
})

it('the outbox backlog counts the entries of the message log that Kafka does not have yet', async () => {
  const [ann, bob] = await chat.people(2)
  await chat.befriend(ann, bob)
  const { body: room } = await chat.as(ann, 'POST', '/rooms', { name: 'backlog', member_ids: [bob] })
  for (const content of ['one', 'two', 'three'])
    await chat.as(ann, 'POST', `/messages/${room.room_id}`, { content })
  await waitFor(async () => (await operations.backlog?.())?.waiting === 0)
  const mongo = await mongoose.createConnection(chat.config.MONGO_URL).asPromise()
  try {
    const heads = mongo.collection<{ _id: number }>('room_heads')
    await heads.updateOne({ _id: room.room_id }, { $inc: { published_seq: -2 } })
    expect(await operations.backlog?.()).toMatchObject({ waiting: 2 })
  } finally {
    await mongo.close()
  }
})

it("friend-service's announcement replaces the copy of a pair, and a newer copy only with a raised version", async () => {
  const [ann, bob] = await chat.people(2)
  await chat.befriend(ann, bob)
  const [low, high] = ann < bob ? [ann, bob] : [bob, ann]
  const copy = async (): Promise<Fact['fields'] | undefined> => {
    for await (const fact of operations.copies!.all())
      if (fact.kind === 'pair' && fact.ids.join() === [low, high].join()) return fact.fields
    return undefined
  }
  await chat.mysql.query('UPDATE contact_pairs SET version = 50 WHERE low = ? AND high = ?', [low, high])
  const state = {
    user_low: low,
    user_high: high,
    friends: false,
    low_blocks_high: true,
    high_blocks_low: false,
    low_restricts_high: true,
    high_restricts_low: false,
  }
  const restrictions = { low_restricts_high: true, high_restricts_low: false }
  await chat.publish(pairStateAnnounced, { ...state, pair_version: 49 })
  await chat.publish(pairStateAnnounced, {
    ...state,
    friends: true,
    low_blocks_high: false,
    pair_version: 51,
  })
  await waitFor(async () => {
    const [row] = await chat.mysql.query<{ version: number }>(
      'SELECT version FROM contact_pairs WHERE low = ? AND high = ?',
      [low, high],
    )
    return row?.version === 51
  })
  expect(await copy()).toEqual({
    friends: true,
    low_blocks_high: false,
    high_blocks_low: false,
    ...restrictions,
  })

  await chat.publish(pairStateAnnounced, { ...state, pair_version: 1_000_051 })
  await waitFor(async () => (await copy())?.low_blocks_high === true)
  expect(await copy()).toEqual({
    friends: false,
    low_blocks_high: true,
    high_blocks_low: false,
    ...restrictions,
  })
  await operations.copies?.drop({ kind: 'pair', ids: [low, high], fields: {} })
  expect(await copy()).toBeUndefined()
})
