export interface Measured {
  readonly count: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Calls `once` with `inFlight` calls at a time for `ms` milliseconds. */
export async function measure(
  inFlight: number,
  ms: number,
  once: (n: number) => Promise<unknown>,
): Promise<Measured> {
  const times: number[] = []
  const startedAt = performance.now()
  let n = 0
  const lane = async () => {
    while (performance.now() - startedAt < ms) {
      const began = performance.now()
      await once(n++)
      times.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const seconds = (performance.now() - startedAt) / 1_000
  times.sort((a, b) => a - b)
  const at = (quantile: number) => times[Math.floor(times.length * quantile)] ?? Number.NaN
  return { count: times.length, perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) }
}
