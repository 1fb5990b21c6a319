import { describe, expect, it } from 'vitest'
import type { WireRecord } from '../driver/port.ts'
import { KafkaUnavailable, RecordRejected } from '../errors.ts'
import { Lane } from './lane.ts'

const record = (value: string): WireRecord => ({ key: 'k', value, headers: {} })

/** A partition that stores records until `fail` returns an error. */
function partition(fail: (values: string[]) => Error | undefined = () => undefined) {
  const stored: string[] = []
  const calls: string[][] = []
  const gates: (() => void)[] = []
  let gated = false
  const lane = new Lane(async (records) => {
    const values = records.map(({ value }) => String(value))
    calls.push(values)
    if (gated) await new Promise<void>((resolve) => gates.push(resolve))
    const error = fail(values)
    if (error) throw error
    stored.push(...values)
  })
  const open = () => gates.shift()?.()
  const gate = () => {
    gated = true
  }
  return { lane, stored, calls, gate, open }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('Lane', () => {
  it('a lane has one call in flight and batches waiting records', async () => {
    const { lane, calls, gate, open } = partition()
    gate()
    const first = lane.publish(record('a'), 1, 5_000)
    await tick()
    const rest = ['b', 'c', 'd'].map((value) => lane.publish(record(value), 1, 5_000))
    await tick()
    expect(calls).toEqual([['a']])
    open()
    await first
    await tick()
    expect(calls).toEqual([['a'], ['b', 'c', 'd']])
    open()
    await Promise.all(rest)
  })

  it('a lane sends a record that is larger than a batch in a call of its own', async () => {
    const { lane, calls } = partition(() => {
      // A call without records would be repeated for ever, without a turn for anything else.
      if (calls.some((values) => values.length === 0)) throw new Error('sent no record')
      return undefined
    })
    await Promise.all(
      ['a', 'b', 'c'].map((value) => lane.publish(record(value), value === 'b' ? 2_000_000 : 1, 5_000)),
    )
    expect(calls).toEqual([['a'], ['b'], ['c']])
  })

  it('a lane fails the records queued behind a failed call, so that none overtakes it', async () => {
    const { lane, stored, gate, open } = partition((values) =>
      values.includes('a') ? new KafkaUnavailable('unavailable') : undefined,
    )
    gate()
    const outcomes = Promise.allSettled(
      ['a', 'b'].map((value) => lane.publish(record(value), 600_000, 5_000)),
    )
    await tick()
    open()
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(stored).toEqual([])
  })

  it('a lane rejects only the record refused by the broker and keeps the order of the others', async () => {
    const { lane, stored } = partition((values) =>
      values.includes('bad') ? new RecordRejected('MESSAGE_TOO_LARGE') : undefined,
    )
    const outcomes = await Promise.allSettled(
      ['a', 'bad', 'b', 'c'].map((value) => lane.publish(record(value), 1, 5_000)),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(stored).toEqual(['a', 'b', 'c'])
  })

  it('a lane rejects in time although the call hangs, and keeps later records behind it', async () => {
    const { lane, calls, stored, gate, open } = partition()
    gate()
    await expect(lane.publish(record('a'), 1, 20)).rejects.toBeInstanceOf(KafkaUnavailable)
    const later = lane.publish(record('b'), 1, 5_000)
    await tick()
    expect(calls).toEqual([['a']])
    open()
    await tick()
    open()
    await later
    expect(stored).toEqual(['a', 'b'])
  })

  it("a lane keeps a batch below the broker's size limit", async () => {
    const { lane, calls } = partition()
    await Promise.all(['a', 'b', 'c'].map((value) => lane.publish(record(value), 400_000, 5_000)))
    expect(calls).toEqual([['a', 'b'], ['c']])
  })
})
