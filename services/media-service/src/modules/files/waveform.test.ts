import { describe, expect, it } from 'vitest'
import { peaksOf } from './waveform.ts'

const samples = (values: readonly number[]) => {
  const buffer = Buffer.alloc(values.length * 2)
  for (const [index, value] of values.entries()) buffer.writeInt16LE(value, index * 2)
  return buffer
}

describe('a waveform', () => {
  it('a waveform shows the loud parts of a recording regardless of its level', () => {
    const half = [...Array<number>(4_000).fill(0), ...Array<number>(4_000).fill(-8_000)]
    const { peaks, durationMs } = peaksOf(samples(half))!
    expect(durationMs).toBe(2_000)
    expect(peaks).toHaveLength(64)
    expect(peaks.slice(0, 32)).toEqual(Array(32).fill(0))
    expect(peaks.slice(32)).toEqual(Array(32).fill(100))
  })

  it('a waveform is flat for silence, and empty without samples', () => {
    expect(Math.max(...peaksOf(samples(Array<number>(1_000).fill(2)))!.peaks)).toBeLessThan(2)
    expect(peaksOf(Buffer.alloc(0))).toBeNull()
  })
})
