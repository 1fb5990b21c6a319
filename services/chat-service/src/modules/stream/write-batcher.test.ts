import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { WriteBatcher } from './write-batcher.ts'

/** A stream whose writes take that long. */
function streamOf(writeMs: number) {
  const stream = {
    runs: 0,
    isQueued: false,
    flush: () => {
      stream.runs++
      const until = performance.now() + writeMs
      while (performance.now() < until);
    },
  }
  return stream
}

it('frames are written once per stream in the next turn of the event loop, also shortly after other writes', async () => {
  const batcher = new WriteBatcher()
  const stream = streamOf(0)
  let late = 0
  for (let message = 1; message <= 50; message++) {
    for (let frame = 0; frame < 3; frame++) batcher.add(stream)
    const { promise, resolve } = Promise.withResolvers<void>()
    batcher.afterWrites(resolve)
    expect(stream.runs).toBe(message - 1)
    await nextTurn()
    if (stream.runs < message) late++
    await promise
    expect(stream.runs).toBe(message)
  }
  // A busy machine may interrupt a run, which then counts as a long one.
  expect(late).toBeLessThan(25)
})

it('frames gather while writes take long, so that about half of the time is left to other work', async () => {
  const batcher = new WriteBatcher()
  const stream = streamOf(4)
  const startedAt = performance.now()
  while (performance.now() < startedAt + 200) {
    batcher.add(stream)
    await nextTurn()
  }
  const elapsedMs = performance.now() - startedAt
  expect(stream.runs).toBeGreaterThan(1)
  // A pause may end a millisecond early.
  expect(stream.runs * (4 + 3)).toBeLessThan(elapsedMs + 8)
})

it('after a long run the next one waits for a bounded time', async () => {
  const batcher = new WriteBatcher()
  const stream = streamOf(300)
  batcher.add(stream)
  await nextTurn()
  batcher.add(stream)
  const { promise, resolve } = Promise.withResolvers<void>()
  batcher.afterWrites(resolve)
  expect(await Promise.race([promise.then(() => 'written'), delay(200, 'waits')])).toBe('written')
})
