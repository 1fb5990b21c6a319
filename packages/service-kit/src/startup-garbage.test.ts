import { getHeapCodeStatistics } from 'node:v8'
import { expect, it, vi } from 'vitest'
import { collectStartupGarbage, collectStartupGarbageWhenIdle } from './startup-garbage.ts'

it('frees unreachable objects at once, and leaves the function "gc" undefined', () => {
  const garbage: { held: unknown[] | undefined } = {
    held: Array.from({ length: 300_000 }, (_, n) => ({ n })),
  }
  const before = process.memoryUsage().heapUsed
  garbage.held = undefined
  collectStartupGarbage()
  expect(process.memoryUsage().heapUsed).toBeLessThan(before - 5_000_000)
  expect(globalThis.gc).toBeUndefined()
})

it('this collection and later ones keep the compiled code of functions that were called', () => {
  const bytecode = () => getHeapCodeStatistics().bytecode_and_metadata_size
  const without = bytecode()
  const functions = Array.from({ length: 2_000 }, (_, n) => new Function('a', `return a + ${n} ** a`))
  for (const call of functions) call(1)
  const added = bytecode() - without
  // V8 discards by default what was not called for six collections.
  for (let run = 0; run < 4; run++) collectStartupGarbage()
  expect(bytecode() - without).toBeGreaterThan(added / 2)
  expect(functions).toHaveLength(2_000)
})

it('garbage of the start is collected once, after the first idle second', async () => {
  vi.useFakeTimers()
  let collections = 0
  let share = 0.5
  const collect = () => {
    collections++
  }
  collectStartupGarbageWhenIdle(9_000, collect, () => share)
  vi.advanceTimersByTime(60_000)
  expect(collections).toBe(0)
  share = 0.02
  vi.advanceTimersByTime(1_000)
  expect(collections).toBe(1)
  vi.advanceTimersByTime(60_000)
  expect(collections).toBe(1)
  vi.useRealTimers()
})
