import {
  friendDataErased,
  friendRemoved,
  friendRequestCancelled,
  userDeleted,
  userRegistered,
  userUpdated,
  uuidv7,
} from '@bigtech/contracts'
import { collectEvents, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../../testing/harness.ts'
import { scenesOf } from '../../../testing/scenes.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
afterAll(() => harness.stop())
const { request, befriend, idsOf } = scenesOf(() => harness)

describe('names', () => {
  it("names follow the version of the profile regardless of the publishers' clocks", async () => {
    const [mina] = newUsers(1) as [number]
    const profile = { user_id: mina, username: 'mina', status_message: null, profile_image_url: null }
    const ahead = { eventId: uuidv7(), timestamp: new Date(Date.now() + 600_000) }
    const newer = { eventId: uuidv7(), timestamp: new Date() }
    const older = { eventId: uuidv7(), timestamp: new Date(Date.now() + 600_000) }
    await harness.publish(userUpdated, { ...profile, display_name: 'first', profile_version: 2 }, ahead)
    await harness.publish(userUpdated, { ...profile, display_name: 'new', profile_version: 3 }, newer)
    await harness.publish(userUpdated, { ...profile, display_name: 'old', profile_version: 1 }, older)
    await waitFor(async () => {
      const rows = await harness.mysql.query('SELECT 1 FROM inbox WHERE event_id = ?', [older.eventId])
      return rows.length === 1
    })
    const rows = await harness.mysql.query('SELECT display_name FROM people WHERE user_id = ?', [mina])
    expect(rows).toEqual([{ display_name: 'new' }])
  })
})

describe('a deleted account', () => {
  it('a deleted account leaves nothing behind, is confirmed once, and does not reappear', async () => {
    const [mina, joon, sora, late] = newUsers(4) as [number, number, number, number]
    await befriend(mina, joon)
    await request(mina, sora)
    await harness.call(mina, 'POST', `/friends/${late}/block`)
    const deletion = { user_id: mina, deletion_id: crypto.randomUUID(), message_policy: 'keep' as const }
    const eventId = uuidv7()
    const events = await collectEvents({
      brokers: harness.kafka.brokers,
      topicPrefix: harness.kafka.topicPrefix,
      topics: ['friend.events'],
    })
    await harness.publish(userDeleted, deletion, { eventId })
    await harness.publish(userDeleted, deletion, { eventId })
    await harness.publish(userRegistered, {
      user_id: mina,
      email: 'mina@example.com',
      username: 'mina',
      display_name: '미나',
    })
    await events.waitFor(friendDataErased, (event) => event.deletion_id === deletion.deletion_id)
    // Removals from the other users' lists, before the end of the erasure.
    await events.waitFor(friendRemoved, (event) => event.user_id === mina && event.friend_id === joon)
    await events.waitFor(
      friendRequestCancelled,
      (event) => event.from_user_id === mina && event.to_user_id === sora,
    )
    await events.stop()
    await waitFor(async () => {
      const rows = await harness.mysql.query("SELECT 1 FROM inbox WHERE consumer = 'names'")
      return rows.length > 0
    })
    const pairs = 'SELECT 1 FROM friendships WHERE user_low = ? OR user_high = ?'
    expect(await harness.mysql.query(pairs, [mina, mina])).toEqual([])
    const people = await harness.mysql.query('SELECT username, display_name FROM people WHERE user_id = ?', [
      mina,
    ])
    expect(people).toEqual([{ username: '', display_name: '' }])
    expect(await idsOf(joon, '/friends')).toEqual([])
    expect((await request(joon, mina)).body.code).toBe('USER_NOT_FOUND')
    expect((await request(mina, joon)).status).toBe(401)
    const told = await harness.mysql.query(
      "SELECT 1 FROM outbox WHERE event_type = 'FriendDataErased' AND msg_key = ?",
      [String(mina)],
    )
    expect(told).toHaveLength(1)
  })
})
