import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { SharedReads } from './shared-reads.ts'

/** Reads that end when told to, and see the stored value of their beginning. */
function heldReads() {
  const state = { stored: 'first' }
  const reads: { key: string; end(err?: Error): void }[] = []
  const shared = new SharedReads<string>()
  const get = (key: string) =>
    shared.get(key, () => {
      const seen = state.stored
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      reads.push({ key, end: (err) => (err ? reject(err) : resolve(seen)) })
      return promise
    })
  return { state, reads, get, settled: () => delay(0) }
}

describe('shared reads', () => {
  it('equal reads that are asked for during one take one more, and see what was stored before they were asked for', async () => {
    const { state, reads, get, settled } = heldReads()
    const before = get('a')
    state.stored = 'second'
    const after = [get('a'), get('a'), get('a')]
    reads[0]!.end()
    await settled()
    expect(reads).toHaveLength(2)
    reads[1]!.end()
    expect(await Promise.all([before, ...after])).toEqual(['first', 'second', 'second', 'second'])
  })

  it('different reads do not wait for each other', async () => {
    const { reads, get } = heldReads()
    const values = [get('a'), get('b')]
    expect(reads.map(({ key }) => key)).toEqual(['a', 'b'])
    for (const { end } of reads) end()
    expect(await Promise.all(values)).toEqual(['first', 'first'])
  })

  it('a read after the end of an equal one is a new read', async () => {
    const { state, reads, get } = heldReads()
    const first = get('a')
    reads[0]!.end()
    expect(await first).toBe('first')
    state.stored = 'second'
    const second = get('a')
    reads[1]!.end()
    expect(await second).toBe('second')
  })

  it('a failed read fails for those who shared it only', async () => {
    const { reads, get, settled } = heldReads()
    const [one, two] = [get('a'), get('a')]
    reads[0]!.end(new Error('away'))
    await expect(one).rejects.toThrow('away')
    await settled()
    reads[1]!.end()
    expect(await two).toBe('first')
  })

  it('a read does not wait for an equal one that hangs', async () => {
    const { reads, get } = heldReads()
    void get('a')
    const two = get('a')
    await expect.poll(() => reads.length).toBe(2)
    reads[1]!.end()
    expect(await two).toBe('first')
  })
})
