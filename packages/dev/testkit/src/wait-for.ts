import { inspect } from 'node:util'

interface WaitOptions<Value> {
  timeoutMs?: number
  intervalMs?: number
  /** What is waited for, for the error. */
  what?: string
  /** Accepts the awaited value; by default any truthy value. With `until`, the error shows the rejected value. */
  until?: (value: Value) => boolean
}

/**
 * Calls `probe` until it returns an accepted value, and returns that value.
 * @throws Error after `timeoutMs`, with the result of the last attempt
 */
export async function waitFor<Value>(
  probe: () => Value | Promise<Value>,
  options: WaitOptions<Value> = {},
): Promise<Exclude<Value, false | null | undefined | 0 | ''>> {
  const { timeoutMs = 10_000, intervalMs = 25, what = probe.toString(), until = Boolean } = options
  const deadline = performance.now() + timeoutMs
  let last: unknown = 'nothing'
  do {
    try {
      const value = await probe()
      if (until(value)) return value as Exclude<Value, false | null | undefined | 0 | ''>
      last = value
    } catch (err) {
      last = err
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs))
  } while (performance.now() < deadline)
  throw new Error(`Waited ${timeoutMs} ms for ${what}; last seen: ${shown(last)}`, { cause: last })
}

const shown = (value: unknown): string =>
  value instanceof Error ? String(value) : inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY })
