import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { BatchedReads } from './batched-reads.ts'

/** Reads that end when told to, and see the stored values of their beginning. */
function heldReads() {
  const stored = new Map([1, 2, 3].map((key) => [key, `first ${key}`]))
  const reads: { keys: readonly number[]; end(err?: Error): void }[] = []
  const batched = new BatchedReads<string>((keys) => {
    const seen = new Map(stored)
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<number, string>>()
    reads.push({ keys, end: (err) => (err ? reject(err) : resolve(seen)) })
    return promise
  })
  const turn = () => delay(0)
  return { stored, reads, batched, turn }
}

describe('batched reads', () => {
  it('batched reads read the keys of one turn of the event loop together, and those that were asked for during the read after it', async () => {
    const { reads, batched, turn } = heldReads()
    const values = [1, 2].map((key) => batched.get(key))
    await turn()
    values.push(...[3, 2, 3].map((key) => batched.get(key)))
    await turn()
    expect(reads.map(({ keys }) => keys)).toEqual([[1, 2]])
    reads[0]!.end()
    await turn()
    expect(reads.map(({ keys }) => keys)).toEqual([
      [1, 2],
      [3, 2],
    ])
    reads[1]!.end()
    expect(await Promise.all(values)).toEqual(['first 1', 'first 2', 'first 3', 'first 2', 'first 3'])
  })

  it('batched reads return no value that was read before it was asked for', async () => {
    const { stored, reads, batched, turn } = heldReads()
    const before = batched.get(1)
    await turn()
    stored.set(1, 'second')
    const after = batched.get(1)
    reads[0]!.end()
    await turn()
    reads[1]!.end()
    expect([await before, await after]).toEqual(['first 1', 'second'])
  })

  it('batched reads return undefined for a key without a value', async () => {
    const { reads, batched, turn } = heldReads()
    const value = batched.get(9)
    await turn()
    reads[0]!.end()
    expect(await value).toBeUndefined()
  })

  it('a failed batched read fails for its keys only', async () => {
    const { reads, batched, turn } = heldReads()
    const one = batched.get(1)
    await turn()
    const two = batched.get(2)
    reads[0]!.end(new Error('away'))
    await expect(one).rejects.toThrow('away')
    await turn()
    reads[1]!.end()
    expect(await two).toBe('first 2')
  })

  it('a batched read does not wait for one that hangs', async () => {
    const { reads, batched, turn } = heldReads()
    void batched.get(1)
    await turn()
    const two = batched.get(2)
    await expect.poll(() => reads.length).toBe(2)
    reads[1]!.end()
    expect(await two).toBe('first 2')
  })
})
