import fc from 'fast-check'
import { afterEach, expect, it, vi } from 'vitest'
import { everyTick, untilTick } from './timing.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('timers of at least a second that begin at different moments expire together, each about half a second early or late at most', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 5_000, noNaN: true }),
      fc.integer({ min: 1_000, max: 60_000 }),
      (idleMs, ms) => {
        vi.advanceTimersByTime(idleMs)
        const wait = untilTick(ms)
        expect(Math.abs(wait - ms)).toBeLessThanOrEqual(502)
        const sinceTick = (performance.now() + wait) % 1_000
        expect(sinceTick).toBeGreaterThanOrEqual(0.999)
        expect(sinceTick).toBeLessThan(2.001)
      },
    ),
  )
})

it('a timer that starts again when it expires keeps its interval', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  vi.advanceTimersByTime(untilTick(1_000))
  for (let run = 0; run < 10; run++) {
    const wait = untilTick(1_000)
    expect(Math.abs(wait - 1_000)).toBeLessThanOrEqual(1)
    vi.advanceTimersByTime(wait)
  }
})

it('timers of less than a second are exact', () => {
  expect([0, 50, 500].map((ms) => untilTick(ms))).toEqual([0, 50, 500])
})

it('timers of a longer tick expire at its multiples', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  for (const idleMs of [0, 300, 700, 1_500]) {
    vi.advanceTimersByTime(idleMs)
    expect(Math.floor(performance.now() + untilTick(2_000, 2_000)) % 2_000).toBe(1)
  }
})

it('periodic work that begins at different moments runs together, once per interval until it is stopped', () => {
  vi.useFakeTimers()
  const runs: [name: string, at: number][] = []
  const begin = (name: string) => everyTick(1_000, () => runs.push([name, performance.now()]))
  const stops = [begin('one')]
  vi.advanceTimersByTime(300)
  stops.push(begin('other'))
  vi.advanceTimersByTime(10_000)
  const byTime = Map.groupBy(runs.slice(2), ([, at]) => at)
  for (const together of byTime.values())
    expect(together.map(([name]) => name).sort()).toEqual(['one', 'other'])
  expect(byTime.size).toBeGreaterThanOrEqual(9)
  for (const stop of stops) stop()
  const before = runs.length
  vi.advanceTimersByTime(5_000)
  expect(runs.length).toBe(before)
})

it('periodic work that is idle runs every 2 s, together with that of other idle work, and each second when it is busy', () => {
  vi.useFakeTimers()
  let isBusy = false
  const runs: number[] = []
  const stops = [0, 1].map((index) => {
    vi.advanceTimersByTime(300)
    return everyTick(
      1_000,
      () => runs.push(Math.floor(performance.now() / 1_000)),
      () => !isBusy || index === 1,
    )
  })
  vi.advanceTimersByTime(10_000)
  expect(runs.length).toBe(10)
  expect(runs.every((second) => second % 2 === 0)).toBe(true)
  runs.length = 0
  isBusy = true
  vi.advanceTimersByTime(10_000)
  expect(runs.length).toBeGreaterThanOrEqual(13)
  for (const stop of stops) stop()
})
