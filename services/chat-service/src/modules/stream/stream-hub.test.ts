import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { recordedSession } from '../../../testing/stream-session.ts'
import { StreamHub } from './stream-hub.ts'

const GONE_AFTER_MS = 50_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function createHub() {
  const hub = new StreamHub({ perUser: 10, perProcess: 100 }, () => undefined)
  const acksWorkSince = Date.now()
  const open = (acknowledges: boolean) => {
    const host = {
      onClosed: () => hub.remove(stream.session),
      onUnsent: () => hub.noteUnsent(stream.session),
    }
    const stream = recordedSession({ userId: hub.size + 1, acknowledges, host })
    hub.add(stream.session)
    stream.session.open({ event: 'ready', rooms: [] })
    return stream
  }
  const states = () => hub.all.map(({ userId }) => userId)
  return { hub, acksWorkSince, open, states }
}

it('a stream is closed when its client has not acknowledged for 50 s, in any order of acknowledgements, and others stay open', () => {
  const { hub, acksWorkSince, open, states } = createHub()
  for (const acknowledges of [true, true, true, false]) open(acknowledges)
  vi.advanceTimersByTime(30_000)
  hub.acknowledge('s3', 3)
  hub.acknowledge('s1', 1)
  hub.acknowledge('s2', 1)
  hub.closeGone(GONE_AFTER_MS, acksWorkSince)
  expect(states()).toEqual([1, 2, 3, 4])
  vi.advanceTimersByTime(21_000)
  hub.closeGone(GONE_AFTER_MS, acksWorkSince)
  expect(states(), 'another user cannot acknowledge').toEqual([1, 3, 4])
  hub.acknowledge('s3', 3)
  vi.advanceTimersByTime(30_000)
  hub.closeGone(GONE_AFTER_MS, acksWorkSince)
  expect(states()).toEqual([3, 4])
})

it('no stream is closed while acknowledgements cannot arrive, nor within 50 s after they can again', () => {
  const { hub, open, states } = createHub()
  open(true)
  vi.advanceTimersByTime(600_000)
  hub.closeGone(GONE_AFTER_MS, undefined)
  const acksWorkSince = Date.now()
  vi.advanceTimersByTime(49_000)
  hub.closeGone(GONE_AFTER_MS, acksWorkSince)
  expect(states()).toEqual([1])
  vi.advanceTimersByTime(2_000)
  hub.closeGone(GONE_AFTER_MS, acksWorkSince)
  expect(states()).toEqual([])
})

it('a stream whose connection is blocked for 50 s is closed, also while acknowledgements cannot arrive, unless it has been unblocked', () => {
  const { hub, open, states } = createHub()
  const [blocked, unblocked] = [open(false), open(true)]
  for (const stream of [blocked, unblocked]) {
    stream.session.hasUnsent()
    stream.stall(40_000)
  }
  hub.closeGone(GONE_AFTER_MS, undefined)
  blocked.stall(51_000)
  unblocked.stall(0)
  hub.closeGone(GONE_AFTER_MS, undefined)
  expect(states()).toEqual([2])
  unblocked.stall(51_000)
  unblocked.session.hasUnsent()
  hub.closeGone(GONE_AFTER_MS, undefined)
  expect(states()).toEqual([])
})
