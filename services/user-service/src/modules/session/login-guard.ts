import { createHash } from 'node:crypto'
import { Problem, type RedisStore } from '@bigtech/service-kit'

/** A sign-in attempt with the data relevant to the limits. */
interface Attempt {
  /** Null when there is no such account. */
  readonly userId: number | null
  /**
   * The canonical identifier, which keys the counters. Counters per account would reveal that an address and
   * a username belong together.
   */
  readonly identifier: string
  readonly ipPrefix: string
  readonly subscriber: string
  /** Set when this device has signed in to this account before. */
  readonly deviceId: string | undefined
  /** Whether the account was used from this network before. */
  readonly knownNetwork: boolean
}

/** An attempt in flight: counts as failed until settled. */
interface Admission {
  /** The password was right. */
  succeeded(): Promise<void>
  /** The attempt was not executed (overload, an outage). */
  cancelled(): Promise<void>
}

export interface LoginGuard {
  /** Deletes the known addresses of a deleted account. @throws StoreUnavailable */
  forget(userId: number): Promise<void>
  /** Records the address of a successful sign-in as known. */
  remember(userId: number, subscriber: string): Promise<void>
  /**
   * Admits an attempt. @throws Problem LOGIN_LIMITED; StoreUnavailable during a Redis outage, because
   * unlimited guessing is worse
   */
  admit(attempt: Attempt): Promise<Admission>
}

interface Bucket {
  readonly key: string
  /** Failures without a wait. */
  readonly free: number
  /** Maximum wait; each further failure doubles it from one second. */
  readonly maxWaitMs: number
  /** A right password resets the counter, or only undoes this attempt. */
  readonly onSuccess: 'reset' | 'undo'
}

const WINDOW_MS = 15 * 60_000
const BASE_WAIT_MS = 1_000

/**
 * Counts every attempt at its start, so that concurrent guesses count too; rejected attempts do not count,
 * so that an attacker cannot extend a lockout.
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

/** Undoes an attempt, and its wait if that is still in force. */
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

/** Retention and maximum number of known addresses per account. */
const ADDRESS_DAYS = 90
const MAX_ADDRESSES = 20

/**
 * Creates the login guard, which throttles guessing without locking out owners: a known device has its own
 * counter, a known address is unaffected by other addresses' attempts, a known network by attacks from
 * elsewhere. Everyone else shares the counters of identifier and address.
 */
export function createLoginGuard(
  redis: RedisStore,
  options: { freeAttemptsPerIp: number; baseWaitMs?: number | undefined },
): LoginGuard {
  const { freeAttemptsPerIp, baseWaitMs = BASE_WAIT_MS } = options

  async function isKnownAddress({ userId, subscriber }: Attempt): Promise<boolean> {
    // Also for an unknown account: a missing round trip would reveal that there is none.
    const key = addressesKey(userId ?? 0)
    const score = await redis.run('loginAddress', (client) => client.zscore(key, digest(subscriber)))
    return score !== null
  }

  async function remember(userId: number, subscriber: string): Promise<void> {
    const key = addressesKey(userId)
    await redis.run('loginAddress', (client) =>
      client
        .multi()
        .zadd(key, Date.now(), digest(subscriber))
        .zremrangebyrank(key, 0, -1 - MAX_ADDRESSES)
        .expire(key, ADDRESS_DAYS * 86_400)
        .exec(),
    )
  }

  return {
    remember,
    forget: async (userId) => {
      await redis.run('loginForget', (client) => client.del(addressesKey(userId)))
    },
    admit: async (attempt) => {
      const buckets = bucketsOf(attempt, await isKnownAddress(attempt), freeAttemptsPerIp)
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

function bucketsOf(attempt: Attempt, isKnownAddress: boolean, freeAttemptsPerIp: number): Bucket[] {
  const { userId, identifier, ipPrefix, subscriber, deviceId, knownNetwork } = attempt
  const base = 'rate_limit:login:'
  if (userId !== null && deviceId !== undefined) {
    return [
      { key: `${base}device:${userId}:${deviceId}`, free: 10, maxWaitMs: WINDOW_MS, onSuccess: 'reset' },
    ]
  }
  const account = `${base}account:${digest(identifier)}`
  const here: Bucket[] = [
    // By address, not by network: a neighbor's guesses are not the owner's.
    { key: `${account}:${subscriber}`, free: 5, maxWaitMs: WINDOW_MS, onSuccess: 'reset' },
    { key: `${base}ip:${subscriber}`, free: freeAttemptsPerIp, maxWaitMs: WINDOW_MS, onSuccess: 'undo' },
  ]
  if (isKnownAddress) return here
  // Against distributed guessing of one account. A short wait, because its owner may use a new device.
  const key = knownNetwork ? `${account}:${ipPrefix}` : account
  return [...here, { key, free: 50, maxWaitMs: 60_000, onSuccess: 'undo' }]
}

function addressesKey(userId: number): string {
  return `user:addresses:${userId}`
}

/** Hashes the identifier: keeps keys short and addresses out of Redis. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
