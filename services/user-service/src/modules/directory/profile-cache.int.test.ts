import { setImmediate } from 'node:timers/promises'
import { userBlocked, userUpdated } from '@bigtech/contracts'
import { openRedis, type RedisStore } from '@bigtech/service-kit'
import { createFaultProxy, waitFor } from '@bigtech/testkit'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'
import { createProfileCache, type VersionedUser } from './profile-cache.ts'

let world: TestWorld
let users: TestService
/** A second process of the service. */
let twin: TestService
let redis: RedisStore

beforeAll(async () => {
  world = await testWorld()
  ;[users, twin] = await Promise.all([world.build(), world.build()])
  redis = await openRedis(users.service, world.redis.url)
})
afterAll(() => world.close())

const user = (userId: number, version: number): VersionedUser => ({
  ...{ userId, version, username: `u${userId}`, displayName: `이름 ${version}` },
  statusMessage: null,
  profileImageUrl: null,
})
type Load = (ids: readonly number[]) => Promise<VersionedUser[]>
const cacheOf = (load: Load, more: { redis?: RedisStore; deadlineMs?: number } = {}) =>
  createProfileCache({ redis, metrics: new Registry(), load, ...more })
let lastId = 1_000_000
const newId = () => ++lastId

describe('a profile that others read', () => {
  it('a public profile is cached after the first read for at most an hour, and counted as miss and hit', async () => {
    const [person, viewer] = [await users.person(), await users.person()]
    const read = () => users.call('GET', `/users/${person.userId}`, { token: viewer.token })
    const [misses, hits] = [/cache_requests_total\{.*miss/, /cache_requests_total\{.*hit/]
    const before = [await users.metric(misses), await users.metric(hits)]
    const after = async () => [await users.metric(misses), await users.metric(hits)]
    // On a busy machine a read may exceed the cache's deadline.
    await waitFor(async () => (await read()).status === 200 && (await after())[0]! > before[0]!)
    const key = `cache:user:${person.userId}`
    await waitFor(async () => (await redis.client.ttl(key)) > 3_590)
    await waitFor(
      async () => (await read()).body.username === person.username && (await after())[1]! > before[1]!,
    )
  })

  it('a cached profile shows a change immediately in every process', async () => {
    const [person, viewer] = [await users.person(), await users.person()]
    for (const display_name of ['첫째', '둘째', '셋째']) {
      await users.call('PUT', '/profile/me', { token: person.token, body: { display_name } })
      for (const service of [twin, users]) {
        const seen = await service.call('GET', `/users/${person.userId}`, { token: viewer.token })
        expect(seen.body.display_name).toBe(display_name)
      }
    }
  })

  it('profiles are returned in the requested order, whichever of them are cached', async () => {
    const [first, second, unknown, third] = [newId(), newId(), newId(), newId()]
    const cache = cacheOf(async (ids) =>
      [...ids].reverse().flatMap((id) => (id === unknown ? [] : [user(id, 1)])),
    )
    await cache.findMany([second])
    await waitFor(async () => (await redis.client.exists(`cache:user:${second}`)) === 1)
    const found = await cache.findMany([first, second, unknown, third])
    expect(found.map(({ userId }) => userId)).toEqual([first, second, third])
  })

  it('a cached profile is hidden from a blocked user', async () => {
    const [person, viewer] = [await users.person(), await users.person()]
    const read = () => users.call('GET', `/users/${person.userId}`, { token: viewer.token })
    expect((await read()).status).toBe(200)
    await world.publish(userBlocked, { blocker_id: person.userId, blocked_id: viewer.userId })
    await waitFor(async () => (await read()).status === 404)
  })

  it('a cached profile is invalidated by UserUpdated when the process that changed it has died', async () => {
    const [person, viewer] = [await users.person(), await users.person()]
    const { version: _version, ...old } = user(person.userId, 1)
    const key = `cache:user:${person.userId}`
    await redis.client.set(key, `1:${JSON.stringify(old)}`)
    const read = () => users.call('GET', `/users/${person.userId}`, { token: viewer.token })
    expect((await read()).body.display_name).toBe('이름 1')
    await world.mysql.query('UPDATE users SET version = 2 WHERE id = ?', [person.userId])
    const { username } = person
    const event = { ...{ user_id: person.userId, username, display_name: username }, profile_version: 2 }
    await world.publish(userUpdated, { ...event, status_message: null, profile_image_url: null })
    await waitFor(async () => (await read()).body.display_name === username)
  })
})

describe('the cache', () => {
  it('50 concurrent readers of one uncached profile cause one database query', async () => {
    let loads = 0
    const cache = cacheOf(async (ids) => {
      loads++
      await setImmediate()
      return ids.map((id) => user(id, 1))
    })
    const id = newId()
    const found = await Promise.all(Array.from({ length: 50 }, () => cache.findMany([id])))
    expect(found.flat()).toHaveLength(50)
    expect(loads).toBe(1)
  })

  it('the profile cache is abandoned after 50 ms when Redis hangs, and then skipped for a second', async () => {
    const { hostname, port } = new URL(world.redis.url)
    const proxy = await createFaultProxy({ host: hostname, port: Number(port) })
    const url = new URL(world.redis.url)
    url.host = `127.0.0.1:${proxy.port}`
    const store = await openRedis(users.service, url.href)
    try {
      const cache = cacheOf(async (ids) => ids.map((id) => user(id, 1)), { redis: store })
      proxy.freeze()
      const commands = store.client.commandQueue.length
      for (let n = 0; n < 20; n++) expect(await cache.findMany([newId()])).toHaveLength(1)
      // Only one command was sent: the other readers skipped the cache.
      expect(store.client.commandQueue.length - commands).toBeLessThanOrEqual(1)
    } finally {
      store.client.disconnect()
      await proxy.restore()
      await proxy.close()
    }
  })

  it('the profile cache never restores a profile from before a write for any interleaving of two processes', async () => {
    const command = fc.constantFrom('read', 'readElsewhere', 'release', 'write', 'writeElsewhere')
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 25 }), async (commands) => {
        const id = newId()
        let version = 1
        const pending: (() => void)[] = []
        const reads: Promise<unknown>[] = []
        // Reads the current row; the generated history decides when the result arrives.
        const load = () => {
          const row = user(id, version)
          return new Promise<VersionedUser[]>((resolve) => pending.push(() => resolve([row])))
        }
        const patient = { deadlineMs: 5_000 }
        const processes = [cacheOf(load, patient), cacheOf(load, patient)] as const
        const settle = async () => {
          await setImmediate()
          await redis.client.ping()
        }
        const assertFresh = async () => {
          const value = await redis.client.get(`cache:user:${id}`)
          if (value !== null) expect(Number(value.split(':', 1)[0])).toBe(version)
        }
        for (const each of commands) {
          const cache = processes[each.endsWith('Elsewhere') ? 1 : 0]
          if (each.startsWith('read')) reads.push(cache.findMany([id]))
          if (each === 'release') pending.shift()?.()
          if (each.startsWith('write')) await cache.invalidate(id, ++version)
          await settle()
          if (version > 1) await assertFresh()
        }
        while (pending.length > 0) {
          pending.shift()?.()
          await settle()
        }
        await Promise.all(reads)
        if (version > 1) await assertFresh()
      }),
      { numRuns: 60 },
    )
  })
})
