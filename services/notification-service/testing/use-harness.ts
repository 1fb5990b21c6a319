import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Harness, startHarness } from './harness.ts'

/** Registers the hooks of a test file: one harness for the file, its clock and mail server reset after each test. */
export function useHarness(): () => Harness {
  let harness: Harness
  beforeAll(async () => {
    harness = await startHarness()
  })
  afterAll(() => harness.stop())
  afterEach(() => {
    harness.clockOffset = 0
    harness.mail.failWith = { code: 0, times: 0 }
    harness.mail.silent = false
  })
  return () => harness
}
