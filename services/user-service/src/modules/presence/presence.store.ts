import type { RedisStore } from '@bigtech/service-kit'
import type { Redis } from 'ioredis'
import { FORGET, HOLD, presenceKeys, RELEASE, REPEAT, SWEEP, TOUCH } from './presence.scripts.ts'
import { type PresenceChange, type PresenceTiming, presenceTiming } from './presence.ts'

interface Sign {
  readonly source: string
  readonly userIds: readonly number[]
  /** When it was given; now when it is not said. */
  readonly at?: Date
  /** The source takes back what it said before. */
  readonly gone?: boolean
}

/** Who is online, shared by all processes. Every method @throws StoreUnavailable. */
export interface PresenceStore {
  /** Returns until when each of the users counts as online (Unix ms; in the past: not at all). */
  touch(sign: Sign): Promise<number[]>
  /** One round trip, however many are asked for. */
  areOnline(userIds: readonly number[]): Promise<boolean[]>
  countOnline(): Promise<number>
  /** Takes at most 200 offline whose time is up; returns how many. */
  sweep(): Promise<number>
  forget(userId: number): Promise<void>
  repeat(userId: number): Promise<void>
  /** Transitions that wait to be published, oldest first. */
  waiting(limit: number): Promise<PresenceChange[]>
  published(ids: readonly string[]): Promise<void>
  /** One process at a time publishes: two would mix up the order. */
  holdRelay(holder: string, ms: number): Promise<boolean>
  releaseRelay(holder: string): Promise<void>
}

const SWEEP_AT_MOST = 200
const { deadlines, seen, changes, relay } = presenceKeys

export function createPresenceStore(
  redis: RedisStore,
  timing: PresenceTiming = presenceTiming,
  /** Called after what may have been a transition. */
  onChange: () => void = () => undefined,
): PresenceStore {
  const changing = async <Result>(operation: string, work: (client: Redis) => Promise<Result>) => {
    const result = await redis.run(operation, work)
    onChange()
    return result
  }
  return {
    touch: ({ source, userIds, at, gone = false }) =>
      changing('presenceTouch', async (client) => {
        const keys = [deadlines, seen, changes, ...userIds.map(presenceKeys.online)]
        const { ttlMs, graceMs } = timing
        const args = [source, at?.getTime() ?? -1, gone ? 0 : ttlMs, graceMs, ttlMs, ...userIds]
        return (await client.eval(TOUCH, keys.length, ...keys, ...args)) as number[]
      }),

    areOnline: (userIds) =>
      redis.run('presenceRead', async (client) => {
        const pipeline = client.pipeline()
        for (const userId of userIds) pipeline.exists(presenceKeys.online(userId))
        const answers = (await pipeline.exec()) ?? []
        return answers.map(([err, found]) => {
          if (err) throw err
          return found === 1
        })
      }),

    countOnline: () => redis.run('presenceCount', (client) => client.zcount(deadlines, Date.now(), '+inf')),

    sweep: async () => {
      const taken = await redis.run(
        'presenceSweep',
        async (client) =>
          (await client.eval(SWEEP, 3, deadlines, seen, changes, SWEEP_AT_MOST, 'user:online:')) as number,
      )
      if (taken > 0) onChange()
      return taken
    },

    forget: (userId) =>
      changing('presenceForget', async (client) => {
        await client.eval(FORGET, 4, deadlines, seen, changes, presenceKeys.online(userId), userId)
      }),

    repeat: (userId) =>
      changing('presenceRepeat', async (client) => {
        await client.eval(REPEAT, 4, deadlines, seen, changes, presenceKeys.online(userId), userId)
      }),

    waiting: (limit) =>
      redis.run('presenceWaiting', async (client) => {
        const entries = await client.xrange(changes, '-', '+', 'COUNT', limit)
        return entries.map(([id, fields]) => toChange(id, fields))
      }),

    published: (ids) =>
      redis.run('presencePublished', async (client) => {
        if (ids.length > 0) await client.xdel(changes, ...ids)
      }),

    holdRelay: (holder, ms) =>
      redis.run('presenceHold', async (client) => (await client.eval(HOLD, 1, relay, holder, ms)) === 1),

    releaseRelay: (holder) =>
      redis.run('presenceRelease', async (client) => {
        await client.eval(RELEASE, 1, relay, holder)
      }),
  }
}

function toChange(id: string, fields: readonly string[]): PresenceChange {
  const value = (name: string) => fields[fields.indexOf(name) + 1] ?? ''
  return {
    id,
    userId: Number(value('user_id')),
    online: value('online') === '1',
    lastSeenAt: new Date(Number(value('seen'))),
  }
}
