import { createHash } from 'node:crypto'
import { Problem } from '@bigtech/service-kit'
import type { RedisStore } from '../../plugins/redis.ts'

/** Who tries to sign in, as far as it matters for the limits. */
interface Attempt {
  /** Null when there is no such account: what was typed is counted instead, so that the limits tell nothing. */
  readonly userId: number | null
  readonly identifier: string
  readonly ipPrefix: string
  readonly subscriber: string
  /** This device has signed in to this account before. */
  readonly deviceId: string | undefined
  /** The account was used from this network before. */
  readonly knownNetwork: boolean
}

/** An attempt that is under way: it counts as failed until it is settled. */
interface Admission {
  /** It was the right password. */
  succeeded(): Promise<void>
  /** It was never tried (overload, an outage). */
  cancelled(): Promise<void>
}

export interface LoginGuard {
  /** @throws Problem LOGIN_LIMITED; StoreUnavailable when Redis is away: unlimited guessing is worse. */
  admit(attempt: Attempt): Promise<Admission>
}

interface Bucket {
  readonly key: string
  /** Failures that cost nothing. */
  readonly free: number
  /** The longest wait; each further failure doubles it from one second. */
  readonly maxWaitMs: number
  /** The right password forgives everything, or takes back this attempt alone. */
  readonly onSuccess: 'reset' | 'undo'
}

const WINDOW_MS = 15 * 60_000
const BASE_WAIT_MS = 1_000

/**
 * Counts every attempt when it begins, so that parallel guesses count too; a refused one does not
 * count, so that nobody is locked out for longer by somebody else's hammering.
 */
const ADMIT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait = 0
for i = 1, #KEYS do
  local till = tonumber(redis.call('HGET', KEYS[i], 'till') or '0')
  if till - now > wait then wait = till - now end
end
if wait > 0 then return { wait } end
local result = { 0 }
for i = 1, #KEYS do
  local free = tonumber(ARGV[2 * i + 1])
  local over = redis.call('HINCRBY', KEYS[i], 'count', 1) - free
  local pause = 0
  local till = 0
  if over > 0 then
    pause = math.min(tonumber(ARGV[2 * i + 2]), tonumber(ARGV[2]) * 2 ^ math.min(over - 1, 30))
    till = now + pause
    redis.call('HSET', KEYS[i], 'till', string.format('%.0f', till))
  end
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', tonumber(ARGV[1]) + pause))
  result[i + 1] = till
end
return result`

/** Takes an attempt back, and the wait that it caused if it is still the one in force. */
const UNDO = `
for i = 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    if redis.call('HINCRBY', KEYS[i], 'count', -1) <= 0 then
      redis.call('DEL', KEYS[i])
    elseif redis.call('HGET', KEYS[i], 'till') == ARGV[i] then
      redis.call('HDEL', KEYS[i], 'till')
    end
  end
end`

/**
 * Slows guessing down without locking people out: a known device has a counter that nobody else
 * can fill, a known network is not held up by attacks from elsewhere, everybody else shares the
 * counters of account and address.
 */
export function createLoginGuard(
  redis: RedisStore,
  options: { freeAttemptsPerIp: number; baseWaitMs?: number | undefined },
): LoginGuard {
  const { freeAttemptsPerIp, baseWaitMs = BASE_WAIT_MS } = options
  return {
    admit: async (attempt) => {
      const buckets = bucketsOf(attempt, freeAttemptsPerIp)
      const keys = buckets.map(({ key }) => key)
      const rules = buckets.flatMap(({ free, maxWaitMs }) => [free, maxWaitMs])
      const [waitMs = 0, ...waits] = (await redis.run('loginAdmit', (client) =>
        client.eval(ADMIT, keys.length, ...keys, WINDOW_MS, baseWaitMs, ...rules),
      )) as number[]
      if (waitMs > 0) throw new Problem('LOGIN_LIMITED', { retryAfterSeconds: waitMs / 1_000 })

      const undo = async (which: (bucket: Bucket) => boolean) => {
        const chosen = buckets.flatMap((bucket, index) =>
          which(bucket) ? [{ bucket, till: waits[index] }] : [],
        )
        if (chosen.length === 0) return
        const args = [
          ...chosen.map(({ bucket }) => bucket.key),
          ...chosen.map(({ till }) => String(till ?? 0)),
        ]
        await redis.run('loginUndo', (client) => client.eval(UNDO, chosen.length, ...args))
      }
      return {
        succeeded: async () => {
          const reset = buckets.filter(({ onSuccess }) => onSuccess === 'reset').map(({ key }) => key)
          await redis.run('loginReset', (client) => client.del(...reset))
          await undo(({ onSuccess }) => onSuccess === 'undo')
        },
        cancelled: () => undo(() => true),
      }
    },
  }
}

function bucketsOf(attempt: Attempt, freeAttemptsPerIp: number): Bucket[] {
  const { userId, identifier, ipPrefix, subscriber, deviceId, knownNetwork } = attempt
  const account = userId === null ? `x${digest(identifier.toLowerCase())}` : `u${userId}`
  const base = 'rate_limit:login:'
  if (deviceId !== undefined) {
    return [
      { key: `${base}device:${account}:${deviceId}`, free: 10, maxWaitMs: WINDOW_MS, onSuccess: 'reset' },
    ]
  }
  const here: Bucket[] = [
    { key: `${base}account:${account}:${ipPrefix}`, free: 5, maxWaitMs: WINDOW_MS, onSuccess: 'reset' },
    { key: `${base}ip:${subscriber}`, free: freeAttemptsPerIp, maxWaitMs: WINDOW_MS, onSuccess: 'undo' },
  ]
  // Against many addresses trying one account. A short wait: its owner may be on a new device.
  const everywhere: Bucket = {
    key: `${base}account:${account}`,
    free: 50,
    maxWaitMs: 60_000,
    onSuccess: 'undo',
  }
  return knownNetwork ? here : [...here, everywhere]
}

/** Anybody can type anything as a name: the key stays short and tells nothing. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
