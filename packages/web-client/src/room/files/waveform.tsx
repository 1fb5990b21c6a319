const BARS = 64
const flat = Array.from({ length: BARS }, () => 8)

/**
 * The peaks (0..100) of a recording as bars, with the played part highlighted. Decorative: the slider above
 * is accessible.
 */
export function Waveform({ peaks, played }: { peaks: readonly number[] | null; played: number }) {
  const bars = peaks ?? flat
  const path = (from: number, to: number) =>
    bars
      .slice(from, to)
      .map((peak, at) => {
        const height = Math.max(6, peak)
        return `M${(from + at) * 3} ${50 - height / 2}v${height}`
      })
      .join('')
  const split = Math.round(played * bars.length)
  return (
    <svg
      className="waveform"
      viewBox={`-1 0 ${bars.length * 3} 100`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path className="played" d={path(0, split)} />
      <path d={path(split, bars.length)} />
    </svg>
  )
}
