import { expect, it } from 'vitest'
import { waitFor } from './wait-for.ts'

it('waitFor returns the first value that the condition accepts', async () => {
  let calls = 0
  expect(await waitFor(() => ++calls, { until: (value) => value === 3, intervalMs: 1 })).toBe(3)
})

it('waitFor shows the rejected value after the deadline', async () => {
  const rejected = waitFor(() => [{ tag: 'room-7' }], {
    until: ({ length }) => length === 2,
    timeoutMs: 5,
    what: 'two notifications',
  })
  await expect(rejected).rejects.toThrow(
    "Waited 5 ms for two notifications; last seen: [ { tag: 'room-7' } ]",
  )
})

it('waitFor shows the last error of the probe after the deadline', async () => {
  const rejected = waitFor(() => Promise.reject(new Error('ECONNREFUSED')), {
    timeoutMs: 5,
    what: 'an answer',
  })
  await expect(rejected).rejects.toThrow('Waited 5 ms for an answer; last seen: Error: ECONNREFUSED')
})
