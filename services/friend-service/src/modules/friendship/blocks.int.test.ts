import { userRegistered } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../testing/harness.ts'
import { scenesOf } from '../../testing/scenes.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
afterAll(() => harness.stop())
const { request, befriend, idsOf } = scenesOf(() => harness)

describe('blocks', () => {
  it('sever the friendship, do not come back by unblocking, and are listed to the blocker alone', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    await befriend(mina, joon)
    expect((await harness.call(mina, 'POST', `/friends/${joon}/block`)).status).toBe(204)
    expect(await idsOf(mina, '/friends')).toEqual([])
    expect(await idsOf(mina, '/friends/blocked')).toEqual([joon])
    expect(await idsOf(joon, '/friends/blocked')).toEqual([])
    expect((await request(mina, joon)).body.code).toBe('FRIEND_REQUEST_REFUSED')
    expect((await harness.call(mina, 'DELETE', `/friends/${joon}/block`)).status).toBe(204)
    expect(await idsOf(mina, '/friends')).toEqual([])
    expect((await request(mina, joon)).status).toBe(201)
  })

  it('cannot be told by the blocked: every answer is the one that a stranger gets', async () => {
    const [blocker, blocked, stranger, asker] = newUsers(4) as [number, number, number, number]
    await harness.call(blocker, 'POST', `/friends/${blocked}/block`)
    // user-service hides the blocker from the blocked.
    harness.userService.hidden.add(blocker)
    await harness.publish(userRegistered, {
      user_id: blocker,
      email: `user${blocker}@example.com`,
      username: `user${blocker}`,
      display_name: `User ${blocker}`,
    })
    await waitFor(async () => {
      const rows = await harness.mysql.query('SELECT 1 FROM people WHERE user_id = ? AND source_at > ?', [
        blocker,
        '2020-01-01',
      ])
      return rows.length === 1
    })
    const life = async (me: number, other: number) => {
      const answers = [
        await request(me, other),
        await request(me, other),
        await harness.call(me, 'GET', '/friends/requests?direction=outgoing'),
        await harness.call(me, 'DELETE', `/friends/${other}`),
        await harness.call(me, 'GET', '/friends'),
      ]
      const id = answers[0]!.body.request_id
      answers.push(await harness.call(me, 'DELETE', `/friends/requests/${id}`))
      const text = JSON.stringify(answers)
        .replace(/"request_id":("[^"]+"|\d+)/g, '"request_id":0')
        .replace(/"(status_message|last_seen_at|online)":[^,}]+/g, '"$1":0')
      return text.replaceAll(String(me), 'ME').replaceAll(String(other), 'OTHER')
    }
    expect(await life(blocked, blocker)).toBe(await life(asker, stranger))
    expect(await idsOf(blocker, '/friends/requests', 'request_id')).toEqual([])
    const types = (await harness.eventsOf(blocker, blocked)).map((event) => event.event_type)
    expect(types).toEqual(['UserBlocked'])
  })
})
