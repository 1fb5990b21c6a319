import type { RedisStore } from '@bigtech/service-kit'
import type { Redis } from 'ioredis'
import { FORGET, HOLD, presenceKeys, RELEASE, REPEAT, SWEEP, TOUCH } from './presence.scripts.ts'
import { type PresenceChange, type PresenceTiming, presenceTiming } from './presence.ts'

interface Sign {
  readonly source: string
  readonly userIds: readonly number[]
  /** Time of the report; defaults to now. */
  readonly at?: Date
  /** The source revokes its earlier report. */
  readonly gone?: boolean
}

/** Presence shared by all processes. Every method @throws StoreUnavailable. */
export interface PresenceStore {
  /** Records a report. Returns until when each user is online (Unix ms; in the past: offline). */
  touch(sign: Sign): Promise<number[]>
  /** Returns whether users are online, in one round trip. */
  areOnline(userIds: readonly number[]): Promise<boolean[]>
  countOnline(): Promise<number>
  /** Marks at most 200 expired users offline; returns their number. */
  sweep(): Promise<number>
  forget(userId: number): Promise<void>
  repeat(userId: number): Promise<void>
  /** Returns unpublished transitions, oldest first. */
  waiting(limit: number): Promise<PresenceChange[]>
  published(ids: readonly string[]): Promise<void>
  /** Acquires or extends the publishing lock: two publishers would reorder transitions. */
  holdRelay(holder: string, ms: number): Promise<boolean>
  releaseRelay(holder: string): Promise<void>
}

const SWEEP_AT_MOST = 200
const { deadlines, seen, changes, dirty, relay } = presenceKeys

export function createPresenceStore(
  redis: RedisStore,
  timing: PresenceTiming = presenceTiming,
  /** Called after a possible transition. */
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
        const keys = [deadlines, seen, changes, dirty, ...userIds.map(presenceKeys.online)]
        const { ttlMs, graceMs } = timing
        const args = [source, at?.getTime() ?? -1, gone ? 0 : ttlMs, graceMs, ttlMs, ...userIds]
        return (await client.eval(TOUCH, keys.length, ...keys, ...args)) as number[]
      }),

    areOnline: (userIds) =>
      redis.run('presenceRead', async (client) => {
        const pipeline = client.pipeline()
        for (const userId of userIds) pipeline.exists(presenceKeys.online(userId))
        const replies = (await pipeline.exec()) ?? []
        return replies.map(([err, found]) => {
          if (err) throw err
          return found === 1
        })
      }),

    countOnline: () => redis.run('presenceCount', (client) => client.zcount(deadlines, Date.now(), '+inf')),

    sweep: async () => {
      const taken = await redis.run(
        'presenceSweep',
        async (client) =>
          (await client.eval(
            SWEEP,
            4,
            deadlines,
            seen,
            changes,
            dirty,
            SWEEP_AT_MOST,
            'user:online:',
          )) as number,
      )
      if (taken > 0) onChange()
      return taken
    },

    forget: (userId) =>
      changing('presenceForget', async (client) => {
        const keys = [deadlines, seen, changes, presenceKeys.online(userId), dirty]
        await client.eval(FORGET, keys.length, ...keys, userId)
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
