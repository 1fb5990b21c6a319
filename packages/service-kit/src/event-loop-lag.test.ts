import { execFile } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { measureEventLoopLag, passExceededFor } from './event-loop-lag.ts'

const MS = 1e6

/** As a histogram gives them: each percentile with the duration that it ends at. */
const passes = (count: number, percentiles: readonly [number, number][]) => ({
  count,
  percentiles: new Map(percentiles),
})

it('takes as quantile of the event loop lag the pass that is exceeded for a share of the time, not of the passes', () => {
  const oneInThousand = passes(1_000, [
    [0, 0.01 * MS],
    [99.9, 0.02 * MS],
    [100, 300 * MS],
  ])
  expect(passExceededFor(150 * MS, oneInThousand)).toBe(300 * MS)
  expect(passExceededFor(310 * MS, oneInThousand)).toBe(0.02 * MS)
})

it('reports no event loop lag for a process that is idle for most of the time', () => {
  expect(passExceededFor(150 * MS, passes(20, [[100, 1 * MS]]))).toBe(0)
  expect(passExceededFor(150 * MS, passes(0, [[100, 0]]))).toBe(0)
})

it('reports a blocked event loop in the metrics, once', async () => {
  const registry = new Registry()
  measureEventLoopLag(registry)
  const lag = async () => {
    const text = await registry.metrics()
    return ['p99', 'max'].map((quantile) =>
      Number(new RegExp(`^nodejs_eventloop_lag_${quantile}_seconds (\\S+)$`, 'm').exec(text)?.[1]),
    )
  }
  await setImmediate()
  await lag()
  await setImmediate()
  for (const end = performance.now() + 400; performance.now() < end; );
  await setImmediate()
  expect(Math.min(...(await lag()))).toBeGreaterThanOrEqual(0.39)
  expect(Math.max(...(await lag()))).toBeLessThan(0.39)
})

it('does not wake an idle process in order to measure it', async () => {
  const script = `
    const { createMetrics } = await import(${JSON.stringify(new URL('./metrics.ts', import.meta.url).href)})
    createMetrics('idle')
    const { nodeTiming } = performance
    setTimeout(() => {
      const before = nodeTiming.uvMetricsInfo.loopCount
      setTimeout(() => console.log(nodeTiming.uvMetricsInfo.loopCount - before), 300)
    }, 300)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(Number(stdout)).toBeLessThan(4)
})
