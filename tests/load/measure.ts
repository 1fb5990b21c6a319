export interface Measured {
  readonly count: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

type Once = (n: number) => Promise<unknown>

const ROUNDS = 12

/** Calls `once` with `inFlight` calls at a time for `ms` milliseconds. */
export async function measure(inFlight: number, ms: number, once: Once): Promise<Measured> {
  return summaryOf(await timesOf(inFlight, ms, once))
}

/** Measures each for `ms` milliseconds, in short turns: the speed of a machine changes within seconds. */
export async function measureInTurns(
  inFlight: number,
  ms: number,
  each: readonly Once[],
): Promise<Measured[]> {
  const rounds: Timed[][] = each.map(() => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, once] of each.entries())
      rounds[index]!.push(await timesOf(inFlight, ms / ROUNDS, once))
  }
  return rounds.map((own) =>
    summaryOf({
      times: own.flatMap(({ times }) => times),
      seconds: own.reduce((sum, { seconds }) => sum + seconds, 0),
    }),
  )
}

interface Timed {
  readonly times: number[]
  readonly seconds: number
}

async function timesOf(inFlight: number, ms: number, once: Once): Promise<Timed> {
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
  return { times, seconds: (performance.now() - startedAt) / 1_000 }
}

function summaryOf({ times, seconds }: Timed): Measured {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (quantile: number) => sorted[Math.floor(sorted.length * quantile)] ?? Number.NaN
  return { count: sorted.length, perSecond: sorted.length / seconds, p50: at(0.5), p99: at(0.99) }
}
