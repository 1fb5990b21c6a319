/**
 * Calls `probe` until it returns a truthy value, and returns that value.
 * @throws Error after `timeoutMs`, with the result of the last attempt
 */
export async function waitFor<Value>(
  probe: () => Value | Promise<Value>,
  options: { timeoutMs?: number; intervalMs?: number; what?: string } = {},
): Promise<Exclude<Value, false | null | undefined | 0 | ''>> {
  const { timeoutMs = 10_000, intervalMs = 25, what = probe.toString() } = options
  const deadline = performance.now() + timeoutMs
  let last: unknown = 'nothing'
  do {
    try {
      const value = await probe()
      if (value) return value as Exclude<Value, false | null | undefined | 0 | ''>
      last = value
    } catch (err) {
      last = err
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs))
  } while (performance.now() < deadline)
  throw new Error(`Waited ${timeoutMs} ms for ${what}; last seen: ${String(last)}`, { cause: last })
}
