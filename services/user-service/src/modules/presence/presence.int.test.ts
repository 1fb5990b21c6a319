import {
  friendRequestAccepted,
  onlineStatusChanged,
  streamPresenceChanged,
  streamsAlive,
  userBlocked,
  userRestricted,
  userUnrestricted,
} from '@bigtech/contracts'
import { type EventCollector, waitFor } from '@bigtech/testkit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Person, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

const timing = { ttlMs: 4_000, graceMs: 1_500 }
let world: TestWorld
let users: TestService
/** A second process: exactly one of the two may publish each change. */
let twin: TestService
let events: EventCollector
let redis: Redis

beforeAll(async () => {
  world = await testWorld()
  ;[users, twin] = await Promise.all([
    world.build({}, { presenceTiming: timing }),
    world.build({}, { presenceTiming: timing }),
  ])
  events = await world.events('user.online_status')
  redis = new Redis(world.redis.url)
  // The consumers start at the end of the topic: wait for their assignment.
  const probe = await users.person()
  await waitFor(async () => {
    await world.publish(streamsAlive, { instance_id: 'probe', user_ids: [probe.userId] })
    return isOnline(probe, probe)
  })
})
afterAll(async () => {
  redis.disconnect()
  await world.close()
})

const heartbeat = (person: Person, state = 'online', service = users) =>
  service.call('POST', '/users/me/presence', { token: person.token, body: { state } })

async function presenceOf(viewer: Person, person: Person, service = users) {
  const url = `/users/presence?user_ids=${person.userId}`
  return (await service.call('GET', url, { token: viewer.token })).body.items[0]
}

async function isOnline(viewer: Person, person: Person): Promise<boolean | null> {
  return (await presenceOf(viewer, person)).online
}

const changesOf = ({ userId }: Person) =>
  events.events
    .filter((event) => 'user_id' in event && event.user_id === userId)
    .map((event) => (event as unknown as { online: boolean }).online)

const streams = (person: Person, instance_id: string, open_streams: number, timestamp = new Date()) =>
  world.publish(streamPresenceChanged, { user_id: person.userId, instance_id, open_streams }, { timestamp })

const setVisibility = (person: Person, presence_visibility: string) =>
  users.call('PUT', '/profile/me/settings', { token: person.token, body: { presence_visibility } })

describe('presence', () => {
  it('presence is hidden in both directions while one of the two restricts the other', async () => {
    const [mina, joon, other] = [await users.person(), await users.person(), await users.person()]
    for (const person of [mina, joon]) await heartbeat(person)
    const pair = { restricter_id: mina.userId, restricted_id: joon.userId }
    expect(await isOnline(joon, mina)).toBe(true)
    await world.publish(userRestricted, pair)
    await waitFor(async () => {
      for (const person of [mina, joon]) await heartbeat(person)
      return (await isOnline(joon, mina)) === null
    })
    expect(await presenceOf(joon, mina)).toEqual({ user_id: mina.userId, online: null, last_seen_at: null })
    expect(await isOnline(mina, joon)).toBeNull()
    expect(await isOnline(other, mina)).toBe(true)
    await world.publish(userUnrestricted, pair)
    await waitFor(async () => {
      await heartbeat(mina)
      return (await isOnline(joon, mina)) === true
    })
  })

  it('presence prunes outdated sources of a user who never goes offline', async () => {
    const person = await users.person()
    const fields = () => redis.hlen(`user:online:${person.userId}`)
    await heartbeat(person)
    for (let process = 0; process < 30; process++) await streams(person, `ended-${process}`, 0)
    await waitFor(async () => (await fields()) > 30)
    await waitFor(async () => {
      await heartbeat(person)
      return (await fields()) === 1
    })
  })

  it('presence begins with a heartbeat, lasts as long as the key, and ends without another heartbeat', async () => {
    const [person, viewer] = [await users.person(), await users.person()]
    expect(await presenceOf(viewer, person)).toEqual({
      user_id: person.userId,
      online: false,
      last_seen_at: null,
    })
    const { body } = await heartbeat(person)
    expect(body).toEqual({ online: true, expires_in: Math.ceil(timing.ttlMs / 1_000) })
    expect(await presenceOf(viewer, person, twin)).toMatchObject({ online: true })
    const rest = await redis.pttl(`user:online:${person.userId}`)
    expect(rest).toBeGreaterThan(0)
    expect(rest).toBeLessThanOrEqual(timing.ttlMs)
    await waitFor(() => changesOf(person).length === 2)
    expect(changesOf(person)).toEqual([true, false])
    // Written behind.
    const after = await waitFor(async () => {
      const seen = await presenceOf(viewer, person)
      return seen.last_seen_at !== null && seen
    })
    expect(after.online).toBe(false)
    expect(Date.now() - Date.parse(after.last_seen_at)).toBeLessThan(20_000)
  })

  it('presence lasts 60 s after a heartbeat, and 15 s after going offline, by default', async () => {
    const usual = await world.build({}, { started: false })
    const person = await usual.person()
    const key = `user:online:${person.userId}`
    expect((await heartbeat(person, 'online', usual)).body).toEqual({ online: true, expires_in: 60 })
    expect(await redis.pttl(key)).toBeGreaterThan(55_000)
    expect((await heartbeat(person, 'offline', usual)).body).toEqual({ online: true, expires_in: 15 })
    expect(await redis.pttl(key)).toBeLessThanOrEqual(15_000)
    await redis.del(key)
    await redis.zrem('user:presence:deadlines', person.userId)
  })

  it('presence is published once per real change, by one of two processes, for any number of reports', async () => {
    const person = await users.person()
    await Promise.all(Array.from({ length: 20 }, (_, n) => heartbeat(person, 'online', n % 2 ? users : twin)))
    await streams(person, 'a', 1)
    await streams(person, 'a', 2)
    await waitFor(() => changesOf(person).length === 2)
    expect(changesOf(person)).toEqual([true, false])
  })

  it('presence survives a page reload, which is shorter than the grace period', async () => {
    const person = await users.person()
    await streams(person, 'a', 1)
    await waitFor(() => changesOf(person).length === 1)
    const key = `user:online:${person.userId}`
    for (let reload = 0; reload < 3; reload++) {
      const startedAt = performance.now()
      await streams(person, 'a', 0)
      const gone = () => redis.hget(key, 'streams:a').then((sign) => sign?.endsWith(':0'))
      await waitFor(gone, { intervalMs: 5, timeoutMs: timing.graceMs })
      expect(await isOnline(person, person)).toBe(true)
      expect(await redis.pttl(key)).toBeLessThanOrEqual(timing.graceMs)
      await streams(person, 'a', 1)
      await waitFor(async () => (await redis.pttl(key)) > timing.graceMs, { intervalMs: 5 })
      expect(performance.now() - startedAt).toBeLessThan(timing.ttlMs)
    }
    expect(changesOf(person)).toEqual([true])
    await streams(person, 'a', 0)
    await waitFor(() => changesOf(person).length === 2)
    expect(changesOf(person)).toEqual([true, false])
  })

  it('presence merges devices: a user is offline only after the last device', async () => {
    const person = await users.person()
    await streams(person, 'a', 1)
    await streams(person, 'b', 1)
    await waitFor(() => isOnline(person, person))
    await streams(person, 'a', 0)
    const key = `user:online:${person.userId}`
    await waitFor(async () => (await redis.hget(key, 'streams:a'))?.endsWith(':0'))
    expect(await redis.pttl(key)).toBeGreaterThan(timing.graceMs)
    await streams(person, 'b', 0)
    const event = await events.waitFor(
      onlineStatusChanged,
      (each) => each.user_id === person.userId && !each.online,
    )
    expect(event.visibility).toBe('everyone')
    expect(changesOf(person)).toEqual([true, false])
  })

  it('presence ends by itself when the process that held the streams is killed', async () => {
    const person = await users.person()
    await world.publish(streamsAlive, { instance_id: 'doomed', user_ids: [person.userId] })
    await waitFor(() => changesOf(person).length === 2)
    expect(changesOf(person)).toEqual([true, false])
  })

  it('presence ignores stale and duplicate events', async () => {
    const person = await users.person()
    const old = new Date(Date.now() - 60_000)
    await streams(person, 'a', 1, old)
    await world.publish(streamsAlive, { instance_id: 'a', user_ids: [person.userId] }, { timestamp: old })
    await streams(person, 'a', 1)
    await waitFor(() => isOnline(person, person))
    const goodbye = new Date()
    await streams(person, 'a', 0, goodbye)
    // Older than the sign-off, but arrives after it.
    await world.publish(
      streamsAlive,
      { instance_id: 'a', user_ids: [person.userId] },
      { timestamp: new Date(goodbye.getTime() - 5) },
    )
    const startedAt = performance.now()
    await waitFor(() => changesOf(person).length === 2)
    expect(performance.now() - startedAt).toBeLessThan(timing.ttlMs)
    expect(changesOf(person)).toEqual([true, false])
  })

  it('presence ends soon after signing out', async () => {
    const [person, viewer] = [await users.person(), await users.person()]
    await heartbeat(person)
    await users.call('POST', '/auth/logout', { token: person.token })
    await waitFor(async () => (await isOnline(viewer, person)) === false, { timeoutMs: timing.ttlMs })
  })

  it('the metrics count the users online', async () => {
    const people = [await users.person(), await users.person(), await users.person()]
    const count = () => users.metric(/^online_users_count/)
    await waitFor(async () => (await count()) === 0)
    await Promise.all(people.map((person) => heartbeat(person)))
    expect(await count()).toBe(3)
    await waitFor(async () => (await count()) === 0)
  })

  it('presence is published by another process after the publishing process has died', async () => {
    const person = await users.person()
    await redis.set('user:presence:relay', 'somebody who died', 'PX', 3_000)
    await heartbeat(person)
    expect(changesOf(person)).toEqual([])
    await waitFor(() => changesOf(person).includes(true))
  })
})

describe('who may see it', () => {
  it('presence is visible to everybody, friends, or nobody, always reciprocally', async () => {
    const [a, b, stranger] = [await users.person(), await users.person(), await users.person()]
    const request = { request_id: 1, from_user_id: a.userId, to_user_id: b.userId }
    await world.publish(friendRequestAccepted, request)
    await waitFor(
      async () => (await world.mysql.query('SELECT 1 FROM friendships WHERE low = ?', [a.userId])).length,
    )
    const seen = async () => [
      await isOnline(b, a),
      await isOnline(stranger, a),
      await isOnline(a, b),
      await isOnline(a, stranger),
    ]
    expect(await seen()).toEqual([false, false, false, false])
    await setVisibility(a, 'friends')
    expect(await seen()).toEqual([false, null, false, null])
    await setVisibility(a, 'nobody')
    expect(await seen()).toEqual([null, null, null, null])
    expect(await isOnline(a, a)).toBe(false)
  })

  it('presence is invisible to both users of a blocked pair', async () => {
    const [a, b] = [await users.person(), await users.person()]
    await heartbeat(a)
    expect(await isOnline(b, a)).toBe(true)
    await world.publish(userBlocked, { blocker_id: a.userId, blocked_id: b.userId })
    await waitFor(async () => (await isOnline(b, a)) === null)
    expect(await isOnline(a, b)).toBeNull()
  })

  it('presence is published again when its visibility changes while online', async () => {
    const person = await users.person()
    await heartbeat(person)
    await setVisibility(person, 'nobody')
    const event = await events.waitFor(
      onlineStatusChanged,
      (each) => each.user_id === person.userId && each.visibility === 'nobody',
    )
    expect(event.online).toBe(true)
  })
})

describe('a batch', () => {
  it('the presence of 200 users costs one Redis round trip and one query, and returns an entry for every id', async () => {
    const viewer = await users.person()
    const ids = Array.from({ length: 200 }, (_, n) => n + 1)
    const count = (operation: string) =>
      users.metric(new RegExp(`store_request_duration_seconds_count.*operation="${operation}"`))
    const before = [await count('presenceRead'), await count('presenceRelations')]
    const { status, body } = await users.call('GET', `/users/presence?user_ids=${ids}`, {
      token: viewer.token,
    })
    expect(status).toBe(200)
    expect(body.items.map(({ user_id }: { user_id: number }) => user_id)).toEqual(ids)
    expect([await count('presenceRead'), await count('presenceRelations')]).toEqual(before.map((n) => n + 1))
    const tooMany = await users.call('GET', `/users/presence?user_ids=${[...ids, 201]}`, {
      token: viewer.token,
    })
    expect(tooMany.status).toBe(422)
  })
})
