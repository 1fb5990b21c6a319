const SECOND_MS = 1_000
/** The server spreads reconnects over 5 s, so a busy second has a fifth of them, and by chance twice as many. */
const AROUND_MS = 5_000
const LARGEST_PART = 0.6
/** Fewer are no load. */
const FEW = 10

/** The busiest second of reconnects. */
export interface Peak {
  /** Streams opened within this second. */
  readonly streams: number
  /** Whether most streams that were opened around this second were opened in it, so that nothing spread them. */
  readonly isStorm: boolean
}

/** Finds the busiest second. @param openings times in milliseconds, in any order */
export function busiestSecond(openings: readonly number[]): Peak {
  const sorted = openings.toSorted((a, b) => a - b)
  const within = (from: number, to: number) => sorted.filter((at) => at >= from && at < to).length
  let [streams, start] = [0, 0]
  for (const from of sorted) {
    const count = within(from, from + SECOND_MS)
    if (count > streams) [streams, start] = [count, from]
  }
  const around = within(start - AROUND_MS, start + SECOND_MS + AROUND_MS)
  return { streams, isStorm: streams > FEW && streams > LARGEST_PART * around }
}
