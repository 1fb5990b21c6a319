import { waitFor } from '@bigtech/testkit'
import { pino } from 'pino'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ConsumerPort, PartitionPosition } from '../driver/port.ts'
import { Committer } from './committer.ts'

const log = pino({ level: 'silent' })
const at = (offset: number, partition = 0): PartitionPosition => ({ topic: 't', partition, offset })

/** A group whose commits call `answer`. */
function group(answer: (call: number) => Promise<void>) {
  const commits: PartitionPosition[][] = []
  const commit = (positions: readonly PartitionPosition[]) => {
    commits.push([...positions])
    return answer(commits.length)
  }
  const port = { commit } as unknown as ConsumerPort
  return { committer: new Committer(() => port, log), commits }
}

afterEach(() => vi.useRealTimers())

describe('Committer', () => {
  it('the committer sends the positions of half a second in one commit', async () => {
    const { committer, commits } = group(() => Promise.resolve())
    committer.mark(at(1))
    await new Promise((resolve) => setImmediate(resolve))
    const committedAt = performance.now()
    for (const offset of [2, 3]) {
      committer.mark(at(offset))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(commits).toEqual([[at(1)]])
    await waitFor(() => commits.length === 2)
    // A timer may fire up to a millisecond early.
    expect(performance.now() - committedAt).toBeGreaterThan(480)
    expect(commits).toEqual([[at(1)], [at(3)]])
  })

  it('the committer does not wait half a second when it is flushed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { committer, commits } = group(() => Promise.resolve())
    for (const offset of [1, 2]) {
      committer.mark(at(offset))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await committer.flush()
    expect(commits).toEqual([[at(1)], [at(2)]])
  })

  it('the committer sends one commit at a time and batches positions marked in the meantime', async () => {
    const gate = Promise.withResolvers<void>()
    const { committer, commits } = group((call) => (call === 1 ? gate.promise : Promise.resolve()))
    committer.mark(at(1))
    for (const offset of [2, 3, 4]) committer.mark(at(offset))
    committer.mark(at(9, 1))
    gate.resolve()
    await committer.flush()
    expect(commits).toEqual([[at(1)], [at(4), at(9, 1)]])
  })

  it('the committer has committed everything when flush resolves', async () => {
    let answered = false
    const { committer } = group(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      answered = true
    })
    committer.mark(at(1))
    await committer.flush()
    expect(answered).toBe(true)
  })

  it('the committer retries a failed commit', async () => {
    const { committer, commits } = group(async (call) => {
      if (call < 3) throw new Error('rebalancing')
    })
    committer.mark(at(1))
    await committer.flush()
    expect(commits).toEqual([[at(1)], [at(1)], [at(1)]])
  })

  it('the committer does not commit partitions assigned to another member', async () => {
    const gate = Promise.withResolvers<void>()
    const { committer, commits } = group((call) => (call === 1 ? gate.promise : Promise.resolve()))
    committer.mark(at(1))
    committer.mark(at(5, 1))
    committer.mark(at(7, 2))
    committer.forget('t', 1)
    gate.resolve()
    await committer.flush()
    expect(commits).toEqual([[at(1)], [at(7, 2)]])
  })
})
