import { expect, it } from 'vitest'
import { busiestSecond } from './reconnects.ts'

const times = (count: number, spreadMs: number) =>
  Array.from({ length: count }, (_, n) => (n * spreadMs) / count)

it('50 streams that reconnect within a second are a storm, and spread over 5 s they are none', () => {
  expect(busiestSecond(times(50, 900))).toEqual({ streams: 50, isStorm: true })
  expect(busiestSecond(times(50, 5_000))).toEqual({ streams: 10, isStorm: false })
})

it('a storm is found between the reconnects of other copies', () => {
  const other = times(30, 5_000).map((at) => at + 60_000)
  expect(busiestSecond([...other, ...times(30, 500)])).toEqual({ streams: 30, isStorm: true })
})

it('no stream was opened: nothing is reported', () => {
  expect(busiestSecond([])).toEqual({ streams: 0, isStorm: false })
})
