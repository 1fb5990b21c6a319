import { type RedisStore, startAtZero, withTimeout } from '@bigtech/service-kit'
import { Counter, type Registry } from 'prom-client'
import type { PublicUser } from './directory.ts'

/** A public profile with the version of its row. */
export interface VersionedUser extends PublicUser {
  readonly version: number
}

/** Cache-aside for public profiles: `cache:user:{id}`. Changing the cached format requires a new key name. */
export interface ProfileCache {
  /** Returns the profiles of existing users in the order of the ids, cached where possible. Does not apply visibility. */
  findMany(userIds: readonly number[]): Promise<VersionedUser[]>
  /** Invalidates older versions; call after a write. Never fails. */
  invalidate(userId: number, version: number): Promise<void>
  /** Removes a deleted account from the cache. @throws StoreUnavailable */
  forget(userId: number): Promise<void>
}

const TTL_SECONDS = 3_600
/** A slower cache would cost more than it saves. */
const DEADLINE_MS = 50
/** Time for which the cache is skipped after a failure. */
const SUSPECT_MS = 1_000
const FINAL_VERSION = 2 ** 32 - 1

/**
 * A value is `version:json`, or `version:` for a version that was written but not read yet. Sets a value
 * unless a newer version is stored: a reader overtaken by a write must not restore the old profile. The
 * marker of a version is replaced by its own value.
 */
const SET_IF_NEWER = `
local known = redis.call('GET', KEYS[1])
if known then
  local version = tonumber(string.match(known, '^(%d+):'))
  local isMarker = string.sub(known, -1) == ':'
  local new = tonumber(ARGV[1])
  if version > new or (version == new and not isMarker) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. ARGV[2], 'EX', ARGV[3])
return 1`

export function createProfileCache(options: {
  redis: RedisStore
  metrics: Registry
  /** Reads the existing users among these ids. */
  load: (userIds: readonly number[]) => Promise<VersionedUser[]>
  /** Extended in tests on a busy machine. */
  deadlineMs?: number
}): ProfileCache {
  const { redis, load, deadlineMs = DEADLINE_MS } = options
  const requests = new Counter({
    name: 'cache_requests_total',
    help: 'Profiles looked up in the cache: hit, miss, or error (Redis unavailable or slower than 50 ms).',
    labelNames: ['cache', 'result'] as const,
    registers: [options.metrics],
  })
  startAtZero(requests, { cache: ['user'], result: ['hit', 'miss', 'error'] })
  const inFlight = new Map<number, Promise<VersionedUser | undefined>>()
  let suspectUntil = Number.NEGATIVE_INFINITY

  async function read(userIds: readonly number[]): Promise<(string | null)[] | undefined> {
    if (!redis.healthy || performance.now() < suspectUntil) return undefined
    try {
      const work = redis.run('profileCacheRead', (client) => client.mget(userIds.map(keyOf)))
      return await withTimeout(work, deadlineMs, 'profile cache')
    } catch {
      suspectUntil = performance.now() + SUSPECT_MS
      return undefined
    }
  }

  async function set(userId: number, version: number, body: string): Promise<void> {
    await redis.run('profileCacheWrite', (client) =>
      client.eval(SET_IF_NEWER, 1, keyOf(userId), version, body, TTL_SECONDS),
    )
  }

  /** Loads profiles, sharing loads already in flight. Does not wait for filling the cache. */
  function loadOnce(userIds: readonly number[]): Promise<(VersionedUser | undefined)[]> {
    const fresh = userIds.filter((userId) => !inFlight.has(userId))
    if (fresh.length > 0) {
      const batch = load(fresh).then((users) => new Map(users.map((user) => [user.userId, user])))
      for (const userId of fresh) {
        const one = batch.then((users) => users.get(userId))
        inFlight.set(userId, one)
        const settled = () => {
          if (inFlight.get(userId) === one) inFlight.delete(userId)
        }
        one.then(settled, settled)
      }
      void batch.then((users) => Promise.all([...users.values()].map(fill))).catch(() => undefined)
    }
    return Promise.all(userIds.map((userId) => inFlight.get(userId)))
  }

  async function fill({ version, ...user }: VersionedUser): Promise<void> {
    if (redis.healthy && performance.now() >= suspectUntil)
      await set(user.userId, version, JSON.stringify(user))
  }

  return {
    findMany: async (userIds) => {
      const values = await read(userIds)
      const found = (values ?? []).flatMap((value) => parse(value) ?? [])
      const known = new Set(found.map(({ userId }) => userId))
      const missing = userIds.filter((userId) => !known.has(userId))
      const count = (result: string, by: number) => by > 0 && requests.inc({ cache: 'user', result }, by)
      count('hit', found.length)
      count(values ? 'miss' : 'error', missing.length)
      if (missing.length === 0) return found
      const loaded = await loadOnce(missing)
      const byId = new Map([...found, ...loaded].flatMap((user) => (user ? [[user.userId, user]] : [])))
      return userIds.flatMap((userId) => byId.get(userId) ?? [])
    },

    invalidate: async (userId, version) => {
      // Later readers must not join a load from before the write.
      inFlight.delete(userId)
      await set(userId, version, '').catch(() => undefined)
    },

    forget: (userId) => set(userId, FINAL_VERSION, ''),
  }
}

function parse(value: string | null): VersionedUser | undefined {
  const [, version, json] = /^(\d+):(.+)$/s.exec(value ?? '') ?? []
  if (version === undefined || json === undefined) return undefined
  return { ...(JSON.parse(json) as PublicUser), version: Number(version) }
}

function keyOf(userId: number): string {
  return `cache:user:${userId}`
}
