import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { murmur2, partitionFor } from './partitioner.ts'

describe('partitioner', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s like the Java client', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash)
  })

  it('the partitioner always maps a key to the same partition', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (key, count) => {
        const partition = partitionFor(key, count)
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(count)
        expect(partitionFor(Buffer.from(key), count)).toBe(partition)
      }),
    )
  })
})
