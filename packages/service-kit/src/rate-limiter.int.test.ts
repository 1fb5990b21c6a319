import { createTestRedis, type TestRedis } from '@bigtech/testkit'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Problem } from './problem.ts'
import { type Limit, RateLimiter } from './rate-limiter.ts'

let test: TestRedis
let redis: Redis
let lastName = 0
beforeAll(async () => {
  test = await createTestRedis()
  redis = new Redis(test.url)
})
afterAll(async () => {
  redis.disconnect()
  await test.release()
})

/** A limiter as one process has it: limiters share nothing but Redis. */
const process = () =>
  new RateLimiter({
    registry: new Registry(),
    keyPrefix: 'limit:',
    runScript: (script, key, ...args) => redis.eval(script, 1, key, ...args),
    log: { warn: () => undefined },
  })
const limitOf = (max: number, windowSeconds = 60): Limit => ({ name: `l${++lastName}`, max, windowSeconds })
const refused = (work: Promise<void>) =>
  work.then(
    () => undefined,
    (err: Problem) => err,
  )

describe('a limit in Redis', () => {
  it('admits exactly its maximum when two processes race', async () => {
    const limit = limitOf(5)
    const [one, other] = [process(), process()]
    const takes = Array.from({ length: 12 }, (_, n) => refused((n % 2 ? one : other).take(limit, 7)))
    expect((await Promise.all(takes)).filter((refusal) => refusal === undefined)).toHaveLength(5)
  })

  it('counts by cost and reports the rest of the window', async () => {
    const limit = limitOf(5)
    await process().take(limit, 7, 4)
    const refusal = await refused(process().take(limit, 7, 2))
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED' })
    expect(refusal!.retryAfterSeconds).toBeGreaterThan(50)
    expect(refusal!.retryAfterSeconds).toBeLessThanOrEqual(60)
  })

  it('gives every key a deadline with its first count, and never moves it', async () => {
    const limit = limitOf(5)
    const key = `limit:${limit.name}:7`
    await process().take(limit, 7, 3)
    await redis.pexpire(key, 20_000)
    await process().take(limit, 7)
    const left = await redis.pttl(key)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(20_000)
  })

  it('starts anew when its window is over', async () => {
    const limit = limitOf(1, 0.2)
    await process().take(limit, 7)
    expect(await refused(process().take(limit, 7))).toBeDefined()
    const key = `limit:${limit.name}:7`
    while ((await redis.exists(key)) === 1) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await refused(process().take(limit, 7))).toBeUndefined()
  })

  it('forgets a subject on every process', async () => {
    const limit = limitOf(1)
    await process().take(limit, 7)
    await process().forget(limit, 7)
    expect(await refused(process().take(limit, 7))).toBeUndefined()
  })
})
