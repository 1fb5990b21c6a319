import {
  createFaultProxy,
  createTestRedis,
  type FaultProxy,
  type TestRedis,
  testServers,
} from '@bigtech/testkit'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { Readiness } from './health.ts'
import { Lifecycle } from './lifecycle.ts'
import { createLogger } from './logging.ts'
import { createMetrics } from './metrics.ts'
import type { Problem } from './problem.ts'
import { type Limit, RateLimiter } from './rate-limiter.ts'
import { openRedis } from './redis.ts'
import type { Service } from './service.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const lifecycle = new Lifecycle(log)
const warn = vi.fn()
let test: TestRedis
let proxy: FaultProxy
let redis: Redis
let lastName = 0
beforeAll(async () => {
  test = await createTestRedis()
  redis = new Redis(test.url)
  proxy = await createFaultProxy(testServers().redis)
})
afterEach(() => warn.mockReset())
afterAll(async () => {
  await lifecycle.stop()
  redis.disconnect()
  await proxy.close()
  await test.release()
})

/** Opens the limiter of one process: limiters share nothing but Redis. */
async function openProcess(url = test.url) {
  const metrics = createMetrics('test')
  const service = { log, lifecycle, metrics, readiness: new Readiness(metrics) } as unknown as Service
  const registry = new Registry()
  const store = await openRedis(service, url)
  const limiter = new RateLimiter({ registry, keyPrefix: 'limit:', redis: store, log: { warn } })
  return { limiter, registry, store }
}
const openBehindProxy = () => openProcess(test.url.replace(/\/\/[^/]+/, `//${proxy.host}:${proxy.port}`))
const limitOf = (max: number, windowSeconds = 60): Limit => ({ name: `l${++lastName}`, max, windowSeconds })
const refusalOf = (work: Promise<void>) =>
  work.then(
    () => undefined,
    (err: Problem) => err,
  )

it('the rate limiter admits exactly the maximum when two processes race', async () => {
  const limit = limitOf(5)
  const processes = await Promise.all([openProcess(), openProcess()])
  const takes = Array.from({ length: 12 }, (_, n) => refusalOf(processes[n % 2]!.limiter.take(limit, 7)))
  expect((await Promise.all(takes)).filter((refusal) => refusal === undefined)).toHaveLength(5)
})

it('the rate limiter does not break pipelined commands of other requests at its first count', async () => {
  const { limiter, store } = await openProcess()
  const beside = store.client.get('beside')
  const first = limiter.take(limitOf(5), 7)
  expect(await Promise.all([beside, first])).toEqual([null, undefined])
  // A warning would mean that the count was kept in this process only.
  expect(warn).not.toHaveBeenCalled()
})

it('the rate limiter counts by cost, reports remaining time and rejections, and counts each subject separately', async () => {
  const limit = limitOf(5)
  const { limiter, registry } = await openProcess()
  await limiter.take(limit, 7, 4)
  const refusal = await refusalOf(limiter.take(limit, 7, 2))
  expect(refusal).toMatchObject({ code: 'RATE_LIMITED' })
  expect(refusal!.retryAfterSeconds).toBeGreaterThan(50)
  expect(refusal!.retryAfterSeconds).toBeLessThanOrEqual(60)
  expect(await registry.metrics()).toContain(`rate_limited_total{limit="${limit.name}"} 1`)
  expect(await refusalOf(limiter.take(limit, 8, 5))).toBeUndefined()
})

it('the rate limiter sets the expiry of every key with its first count and never extends it', async () => {
  const limit = limitOf(5)
  const key = `limit:${limit.name}:7`
  const { limiter } = await openProcess()
  await limiter.take(limit, 7, 3)
  await redis.pexpire(key, 20_000)
  await limiter.take(limit, 7)
  const left = await redis.pttl(key)
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThanOrEqual(20_000)
})

it('the rate limiter starts a new window after the previous one has expired', async () => {
  const limit = limitOf(1)
  const { limiter } = await openProcess()
  await limiter.take(limit, 7)
  expect(await refusalOf(limiter.take(limit, 7))).toBeDefined()
  await redis.pexpire(`limit:${limit.name}:7`, 1)
  await vi.waitFor(async () => expect(await redis.exists(`limit:${limit.name}:7`)).toBe(0))
  expect(await refusalOf(limiter.take(limit, 7))).toBeUndefined()
})

it('the rate limiter resets a subject on every process', async () => {
  const limit = limitOf(1)
  const [one, other] = await Promise.all([openProcess(), openProcess()])
  await one.limiter.take(limit, 7)
  await other.limiter.forget(limit, 7)
  expect(await refusalOf(one.limiter.take(limit, 7))).toBeUndefined()
})

it('the rate limiter never rejects when the maximum is infinite', async () => {
  const { limiter } = await openProcess()
  expect(await refusalOf(limiter.take(limitOf(Number.POSITIVE_INFINITY), 7, 1_000_000))).toBeUndefined()
})

it('the rate limiter counts per process without Redis', async () => {
  const limit = limitOf(2)
  const limiter = new RateLimiter({ registry: new Registry(), keyPrefix: 'limit:', log: { warn } })
  await limiter.take(limit, 7, 2)
  expect(await refusalOf(limiter.take(limit, 7))).toMatchObject({ code: 'RATE_LIMITED' })
  expect(await refusalOf(limiter.take(limit, 8, 2))).toBeUndefined()
})

it('a write-behind limit does not wait for Redis, and still counts across processes', async () => {
  const limit = { ...limitOf(10_000), isWriteBehind: true }
  const key = `limit:${limit.name}:7`
  const processes = await Promise.all([openProcess(), openProcess()])
  await Promise.all(processes.map(({ limiter }) => limiter.take(limit, 7, 5_000)))
  expect(await redis.exists(key)).toBe(0)
  // The first process to settle learns the other's count with its next settlement.
  await vi.waitFor(async () => {
    for (const { limiter } of processes)
      expect(await refusalOf(limiter.take(limit, 7))).toMatchObject({ code: 'RATE_LIMITED' })
  }, 10_000)
  expect(Number(await redis.get(key))).toBeLessThan(10_500)
})

it('a write-behind limit adds the count of each of many subjects, and starts the window of each', async () => {
  const limit = { ...limitOf(1_000), isWriteBehind: true }
  const subjects = Array.from({ length: 450 }, (_, index) => index + 1)
  const keys = subjects.map((subject) => `limit:${limit.name}:${subject}`)
  await redis.set(keys[1]!, 997, 'PX', 20_000)
  await redis.set(keys[2]!, 1)
  const { limiter } = await openProcess()
  await Promise.all(subjects.map((subject) => limiter.take(limit, subject, 1 + (subject % 3))))
  await vi.waitFor(async () => expect(await redis.exists(...keys)).toBe(450), 5_000)
  const before = [0, 997, 1]
  const expected = subjects.map((subject, index) => String(1 + (subject % 3) + (before[index] ?? 0)))
  expect(await redis.mget(keys)).toEqual(expected)
  const left = await Promise.all(keys.map((key) => redis.pttl(key)))
  expect(left[1]).toBeLessThanOrEqual(20_000)
  expect(Math.min(...left)).toBeGreaterThan(0)
  expect(Math.max(...left)).toBeLessThanOrEqual(60_000)
  // The sum is known here, too.
  await vi.waitFor(async () =>
    expect(await refusalOf(limiter.take(limit, 2))).toMatchObject({ code: 'RATE_LIMITED' }),
  )
})

it('the rate limiter admits the maximum of a process, and no more, before a write-behind limit is flushed', async () => {
  const limit = { ...limitOf(5), isWriteBehind: true }
  const { limiter } = await openProcess()
  const takes = await Promise.all(Array.from({ length: 12 }, () => refusalOf(limiter.take(limit, 7))))
  expect(takes.filter((refusal) => refusal === undefined)).toHaveLength(5)
})

it.each(['cut', 'freeze'] as const)(
  'continues with the local count when Redis fails (%s), and uses Redis again after recovery',
  async (fault) => {
    const limit = limitOf(2)
    const { limiter, store } = await openBehindProxy()
    await limiter.take(limit, 7)
    await proxy[fault]()
    await limiter.take(limit, 7)
    const startedAt = performance.now()
    for (let n = 0; n < 10; n++) {
      expect(await refusalOf(limiter.take(limit, 7))).toMatchObject({ code: 'RATE_LIMITED' })
    }
    // One timeout is 500 ms: a hanging Redis must not delay every request.
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(warn).toHaveBeenCalledTimes(1)
    await proxy.restore()
    await vi.waitFor(() => expect(store.healthy && store.client.status).toBe('ready'), 10_000)
    await limiter.take(limit, 9)
    expect(await redis.get(`limit:${limit.name}:9`)).toBe('1')
  },
)
