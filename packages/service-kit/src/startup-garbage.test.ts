import { expect, it } from 'vitest'
import { collectStartupGarbage } from './startup-garbage.ts'

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
