import { StoreUnavailable } from '@bigtech/stores'
import type { Logger } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { JobRunner } from './periodic-jobs.ts'

const log = { debug: vi.fn(), error: vi.fn() }
const runnerOf = (run: () => Promise<unknown>, everyMs = 10_000) =>
  new JobRunner({ name: 'job', everyMs, run }, log as unknown as Logger)

beforeEach(() => {
  vi.useFakeTimers()
  vi.clearAllMocks()
})
afterEach(() => {
  vi.useRealTimers()
})

it('a periodic job runs soon after the start, then at its interval with a jitter of a quarter', async () => {
  const run = vi.fn(async () => {})
  const job = runnerOf(run)
  job.start()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(run).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(7_000)
  expect(run).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(7_000)
  expect(run).toHaveBeenCalledTimes(2)
  await job.stop()
})

it('a periodic job runs again after a failure; logs an outage at debug and any other failure at error', async () => {
  const failures = [new StoreUnavailable('mysql'), new Error('a defect')]
  const run = vi.fn(async () => {
    const failure = failures.shift()
    if (failure) throw failure
  })
  const job = runnerOf(run, 1_000)
  job.start()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(run.mock.calls.length).toBeGreaterThanOrEqual(3)
  expect(log.debug).toHaveBeenCalledTimes(1)
  expect(log.error).toHaveBeenCalledTimes(1)
  await job.stop()
})

it('a periodic job never runs concurrently, and runs again immediately when woken during a run', async () => {
  let running = 0
  let most = 0
  const run = vi.fn(async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 500))
    running--
  })
  const job = runnerOf(run)
  job.start()
  while (running === 0) await vi.advanceTimersByTimeAsync(10)
  job.wake()
  await vi.advanceTimersByTimeAsync(100)
  expect(run).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(500)
  expect(run).toHaveBeenCalledTimes(2)
  expect(most).toBe(1)
  const stopped = job.stop()
  await vi.advanceTimersByTimeAsync(1_000)
  await stopped
})

it('a periodic job waits for the current run when it stops, and starts no other', async () => {
  let running = false
  const run = vi.fn(async () => {
    running = true
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    running = false
  })
  const job = runnerOf(run)
  job.start()
  while (!running) await vi.advanceTimersByTimeAsync(10)
  let isStopped = false
  const stopped = job.stop().then(() => {
    isStopped = true
  })
  job.wake()
  await vi.advanceTimersByTimeAsync(4_000)
  expect(isStopped).toBe(false)
  await vi.advanceTimersByTimeAsync(1_000)
  await stopped
  await vi.advanceTimersByTimeAsync(60_000)
  expect(run).toHaveBeenCalledTimes(1)
})
