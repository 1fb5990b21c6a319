import { userDeleted, userRegistered } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../../testing/harness.ts'
import { scenesOf } from '../../../testing/scenes.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
afterAll(() => harness.stop())
const { request, befriend, idsOf } = scenesOf(() => harness)

it('requests and blocks are rate-limited per user, so that user ids cannot be enumerated', async () => {
  const limited = await startHarness({ env: { FRIEND_ACTIONS_PER_HOUR: '3' } })
  try {
    const [mina, joon, a, b, c, d] = newUsers(6) as number[]
    const targets = [
      `/friends/${a}/block`,
      `/friends/${b}/block`,
      `/friends/${c}/block`,
      `/friends/${d}/block`,
    ]
    const answers = []
    for (const url of targets) answers.push(await limited.call(mina!, 'POST', url))
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 429])
    expect(answers.at(-1)!.body.code).toBe('RATE_LIMITED')
    const refused = await limited.call(mina!, 'POST', '/friends/request', { target_user_id: joon })
    expect(refused.status).toBe(429)
    expect((await limited.call(joon!, 'POST', targets[0]!)).status).toBe(204)
  } finally {
    await limited.stop()
  }
})

describe('blocks', () => {
  it('a block ends the friendship permanently and is listed for the blocker only', async () => {
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

  it('a block is indistinguishable from a deleted account in every response and list', async () => {
    const [blocker, blocked, deleted, asker] = newUsers(4) as [number, number, number, number]
    for (const userId of [blocker, deleted]) {
      await harness.publish(userRegistered, {
        user_id: userId,
        email: `user${userId}@example.com`,
        username: `user${userId}`,
        display_name: `User ${userId}`,
      })
    }
    // Their earlier relation: a request from one user, and a block by the same user.
    const before = async (me: number, other: number) => (await request(me, other)).body.request_id as number
    const ids = { [blocked]: await before(blocked, blocker), [asker]: await before(asker, deleted) }
    await harness.call(blocker, 'POST', `/friends/${blocked}/block`)
    await harness.publish(userDeleted, {
      user_id: deleted,
      deletion_id: crypto.randomUUID(),
      message_policy: 'keep',
    })
    await waitFor(async () => {
      const rows = await harness.mysql.query('SELECT 1 FROM friendships WHERE user_high = ?', [asker])
      return rows.length === 0
    })
    // user-service returns 404 for both of them.
    for (const userId of [blocker, deleted]) harness.userService.hidden.add(userId)
    const life = async (me: number, other: number) => {
      const call = (method: 'GET' | 'POST' | 'DELETE', url: string) => harness.call(me, method, url)
      const lists = [
        '/friends',
        '/friends/requests?direction=outgoing',
        '/friends/blocked',
        '/friends/export',
      ]
      const answers = []
      for (const url of lists) answers.push(await call('GET', url))
      answers.push(await call('DELETE', `/friends/requests/${ids[me]}`))
      answers.push(await request(me, other))
      answers.push(await call('DELETE', `/friends/${other}`))
      answers.push(await call('POST', `/friends/${other}/block`))
      for (const url of lists) answers.push(await call('GET', url))
      answers.push(await request(me, other))
      answers.push(await call('DELETE', `/friends/${other}/block`))
      return JSON.stringify(answers)
        .replace(/"(exported_at|request_id|instance)":"[^"]+"/g, '"$1":0')
        .replaceAll(String(me), 'ME')
        .replaceAll(String(other), 'OTHER')
    }
    const ofBlocked = await life(blocked, blocker)
    expect(ofBlocked).toBe(await life(asker, deleted))
    expect(ofBlocked).not.toContain('User ')
    expect(await idsOf(blocker, '/friends/requests', 'request_id')).toEqual([])
    expect(await idsOf(blocker, '/friends/blocked')).toEqual([blocked])
  })

  it('blocks in both directions are independent of each other', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    await harness.call(mina, 'POST', `/friends/${joon}/block`)
    await harness.call(joon, 'POST', `/friends/${mina}/block`)
    expect(await idsOf(mina, '/friends/blocked')).toEqual([])
    await harness.call(joon, 'DELETE', `/friends/${mina}/block`)
    expect(await idsOf(mina, '/friends/blocked')).toEqual([joon])
    expect((await request(joon, mina)).body.code).toBe('USER_NOT_FOUND')
  })
})

describe('restrictions', () => {
  const restrict = (me: number, other: number) => harness.call(me, 'POST', `/friends/${other}/restriction`)
  const unrestrict = (me: number, other: number) =>
    harness.call(me, 'DELETE', `/friends/${other}/restriction`)

  it('restrictions are listed for the restricting user only, and change nothing but presence that the restricted user sees here', async () => {
    const [mina, joon, jisoo] = newUsers(3) as [number, number, number]
    await befriend(mina, joon)
    const lists = [
      '/friends',
      '/friends/requests',
      '/friends/blocked',
      '/friends/restricted',
      '/friends/suggestions',
    ]
    const seen = async () =>
      Promise.all(lists.map(async (url) => (await harness.call(joon, 'GET', url)).body))
    // user-service hides presence from both as well.
    harness.userService.online.set(mina, null)
    const before = await seen()
    for (const other of [joon, jisoo]) expect((await restrict(mina, other)).status).toBe(204)
    expect(await idsOf(mina, '/friends/restricted')).toEqual([jisoo, joon])
    expect(await idsOf(mina, '/friends')).toEqual([joon])
    expect(await seen()).toEqual(before)
    expect((await harness.call(mina, 'GET', '/friends/export')).body.restricted).toHaveLength(2)
    expect((await harness.call(joon, 'GET', '/friends/export')).body.restricted).toEqual([])
    expect((await request(jisoo, mina)).status).toBe(201)
  })

  it('restrictions are published once when set and once when lifted, however often the call is repeated', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    for (let times = 0; times < 2; times++) expect((await restrict(mina, joon)).status).toBe(204)
    for (let times = 0; times < 2; times++) expect((await unrestrict(mina, joon)).status).toBe(204)
    const events = await harness.eventsOf(mina, joon)
    expect(events.map(({ event_type }) => event_type)).toEqual(['UserRestricted', 'UserUnrestricted'])
    expect(events[0]).toMatchObject({ restricter_id: mina, restricted_id: joon, pair_version: 1 })
    expect(await idsOf(mina, '/friends/restricted')).toEqual([])
  })

  it('restrictions are independent of each other and of blocks, and hide a user who blocks the caller', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    await restrict(mina, joon)
    await restrict(joon, mina)
    await harness.call(joon, 'POST', `/friends/${mina}/block`)
    expect(await idsOf(mina, '/friends/restricted')).toEqual([])
    expect(await idsOf(joon, '/friends/restricted')).toEqual([mina])
    await harness.call(joon, 'DELETE', `/friends/${mina}/block`)
    expect(await idsOf(mina, '/friends/restricted')).toEqual([joon])
    await unrestrict(joon, mina)
    expect(await idsOf(mina, '/friends/restricted')).toEqual([joon])
  })

  it('restrictions of oneself and of unknown users are refused', async () => {
    const [mina] = newUsers(1) as [number]
    expect((await restrict(mina, mina)).body.code).toBe('FRIEND_SELF')
    harness.userService.hidden.add(987_654)
    expect((await restrict(mina, 987_654)).body.code).toBe('USER_NOT_FOUND')
  })
})
