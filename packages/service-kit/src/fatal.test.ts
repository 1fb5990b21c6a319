import { afterEach, expect, it, vi } from 'vitest'
import { exitAfterStop } from './fatal.ts'
import { Lifecycle } from './lifecycle.ts'
import { createLogger } from './logging.ts'

const log = createLogger({ service: 'test', level: 'silent' })

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  process.exitCode = undefined
})

it('a fatal error stops every phase before the process exits with 1', async () => {
  const order: string[] = []
  const exited = new Promise<number>((resolve) => {
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      order.push('exit')
      resolve(Number(code))
      return undefined as never
    })
  })
  const lifecycle = new Lifecycle(log)
  lifecycle.onStop('http', 'http', () => order.push('http'))
  lifecycle.onStop('stores', 'mysql', () => order.push('stores'))
  exitAfterStop(lifecycle, log)(new Error('unknown topic'))
  expect(await exited).toBe(1)
  expect(order).toEqual(['http', 'stores', 'exit'])
})

it('a fatal error exits with 1 after 20 s although a step of the shutdown hangs', async () => {
  vi.useFakeTimers()
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
  const lifecycle = new Lifecycle(log, 60_000)
  lifecycle.onStop('consumers', 'hangs', () => new Promise(() => undefined))
  exitAfterStop(lifecycle, log)(new Error('unknown topic'))
  await vi.advanceTimersByTimeAsync(19_000)
  expect(exit).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(exit).toHaveBeenCalledWith(1)
})
