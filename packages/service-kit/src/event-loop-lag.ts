import { type Histogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

type Passes = Pick<Histogram, 'count' | 'percentiles'>

const NAME = 'nodejs_eventloop_lag'
/** Share of the time that the lag exceeds each quantile. */
const SHARES = { p50: 0.5, p90: 0.1, p99: 0.01 }

/** Stops the timer of prom-client's own measurement, which would wake an idle process twenty times a second. */
export const withoutEventLoopTimer = { eventLoopMonitoringPrecision: 2 ** 31 - 1 }

/**
 * Measures the passes of the event loop between two scrapes: an event waits for the end of the current pass. Replaces the
 * metrics of prom-client with the same names.
 */
export function measureEventLoopLag(registry: Registry): void {
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith(NAME)) registry.removeSingleMetric(name)

  const passes = monitorEventLoopDelay({ samplePerIteration: true })
  passes.enable()
  let since = performance.now()
  const registers = [registry]
  new Gauge({
    name: `${NAME}_max_seconds`,
    help: 'Longest pass of the event loop since the previous scrape.',
    registers,
    collect() {
      const now = performance.now()
      for (const { share, gauge } of quantiles)
        gauge.set(passExceededFor(share * (now - since) * 1e6, passes) / 1e9)
      this.set(passes.max / 1e9)
      since = now
      passes.reset()
    },
  })
  // After the gauge that sets them: the registry collects in the order of registration.
  const quantiles = Object.entries(SHARES).map(([quantile, share]) => {
    const help = `Duration that passes of the event loop exceed for ${share * 100} % of the time.`
    return { share, gauge: new Gauge({ name: `${NAME}_${quantile}_seconds`, help, registers }) }
  })
}

/** Returns the longest duration such that the passes of this duration or longer sum up to `time`, else 0; all in nanoseconds. */
export function passExceededFor(time: number, { count, percentiles }: Passes): number {
  const points = [...percentiles].reverse()
  let sum = 0
  for (const [index, [percentile, duration]] of points.entries()) {
    const below = points[index + 1]?.[0] ?? 0
    sum += ((percentile - below) / 100) * count * duration
    if (sum >= time) return duration
  }
  return 0
}
