import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  fakeSession,
  fakeTransport,
  messageFrame,
  messageOf,
  readyFrame,
  resetFrame,
} from '../testing/fakes.ts'
import { ApiProblem } from './api-problem.ts'
import type { StreamFrame } from './frames.ts'
import type { Message } from './operations.ts'
import { ChatStream, type StateReason, type StreamState } from './stream.ts'

const LONGEST_FIRST_DELAY_MS = 500

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(0)
const problem = (status: number, code: string, retryAfterSeconds?: number) =>
  new ApiProblem({ type: 'about:blank', title: code, status, code, request_id: 'r' }, retryAfterSeconds)

/** Opens a stream with a fake server; `historyTo` is the newest message that can be fetched. */
async function open(historyTo = 0, silenceTimeoutMs?: number) {
  const { session, asked, state } = fakeSession(
    Array.from({ length: historyTo }, (_unused, index) => messageOf(index + 1)),
  )
  const { transport, connections } = fakeTransport()
  const frames: StreamFrame[] = []
  const states: StreamState[] = []
  const reasons: (StateReason | undefined)[] = []
  const onState = (next: StreamState, reason?: StateReason) => {
    states.push(next)
    reasons.push(reason)
  }
  const stream = new ChatStream({
    session,
    transport,
    listener: { onFrame: (frame) => void frames.push(frame), onState },
    ...(silenceTimeoutMs === undefined ? {} : { silenceTimeoutMs }),
  })
  stream.start()
  await settle()
  return {
    stream,
    connections,
    frames,
    states,
    reasons,
    asked,
    session: state,
    seqs: () => frames.flatMap((frame) => (frame.event === 'message' ? [frame.data.seq] : [])),
    /** Lets the longest first delay pass. */
    reconnect: () => vi.advanceTimersByTimeAsync(LONGEST_FIRST_DELAY_MS),
  }
}

describe('messages', () => {
  it('duplicate messages are dropped', async () => {
    const { connections, seqs, stream } = await open()
    connections[0]!.frame(resetFrame(5))
    for (const seq of [6, 6, 5, 7, 6, 7]) connections[0]!.frame(messageFrame(seq))
    await settle()
    expect(seqs()).toEqual([6, 7])
    stream.close()
  })

  it('a gap is fetched before the message that revealed it is delivered', async () => {
    const { connections, seqs, asked, stream } = await open(8)
    connections[0]!.frame(resetFrame(5))
    connections[0]!.frame(messageFrame(8))
    connections[0]!.frame(messageFrame(9))
    await settle()
    expect(seqs()).toEqual([6, 7, 8, 9])
    expect(asked).toEqual([{ after_seq: 5, limit: 2 }])
    stream.close()
  })

  it('a gap of several hundred messages is fetched page by page', async () => {
    const { connections, seqs, asked, stream } = await open(251)
    connections[0]!.frame(resetFrame(0))
    connections[0]!.frame(messageFrame(251))
    await settle()
    expect(seqs()).toEqual(Array.from({ length: 251 }, (_unused, index) => index + 1))
    expect(asked.map(({ after_seq, limit }) => [after_seq, limit])).toEqual([
      [0, 100],
      [100, 100],
      [200, 50],
    ])
    stream.close()
  })

  it('messages announced only by a heartbeat are fetched', async () => {
    const { connections, seqs, stream } = await open(7)
    connections[0]!.frame(resetFrame(5))
    const heads = [{ room_id: 7, seq: 7, cseq: 0 }]
    connections[0]!.frame({ event: 'heartbeat', data: { at: '2026-01-27T10:00:00.000Z', heads } })
    await settle()
    expect(seqs()).toEqual([6, 7])
    stream.close()
  })

  it('a gap is not lost when fetching it fails: the connection ends and resumes before the gap', async () => {
    const { connections, seqs, session, stream, reconnect } = await open(8)
    connections[0]!.frame(resetFrame(5), 'at-5')
    await settle()
    session.failRepairs = 1
    connections[0]!.frame(messageFrame(8), 'at-8')
    await settle()
    expect(connections[0]!.signal.aborted).toBe(true)
    expect(seqs()).toEqual([])
    await reconnect()
    expect(connections[1]!.lastEventId).toBe('at-5')
    connections[1]!.frame(readyFrame(8))
    connections[1]!.frame(messageFrame(8), 'at-8')
    await settle()
    expect(seqs()).toEqual([6, 7, 8])
    stream.close()
  })

  it("the stream backs off while fetching a gap keeps failing, and respects the server's delay", async () => {
    const { connections, asked, session, stream } = await open(8)
    session.failRepairs = Number.POSITIVE_INFINITY
    const play = (index: number) => {
      connections[index]!.frame(index === 0 ? resetFrame(5) : readyFrame(5), 'at-5')
      connections[index]!.frame(messageFrame(8), 'at-8')
    }
    let played = 0
    const playNext = async () => {
      while (played === connections.length) await vi.advanceTimersByTimeAsync(1_000)
      play(played++)
    }
    const end = Date.now() + 600_000
    while (Date.now() < end) await playNext()
    // Without backoff there would be more than 600 requests.
    expect(asked.length).toBeLessThan(120)
    session.repairFailure = problem(503, 'UNAVAILABLE', 100)
    await playNext()
    const before = connections.length
    await vi.advanceTimersByTimeAsync(99_000)
    expect(connections).toHaveLength(before)
    stream.close()
  })

  it('frames arriving after a connection has ended are not delivered', async () => {
    const { connections, seqs, stream } = await open()
    connections[0]!.frame(resetFrame(5))
    await settle()
    stream.reconnect()
    connections[0]!.frame(messageFrame(6))
    await settle()
    expect(seqs()).toEqual([])
    stream.close()
  })
})

it('changes of messages are delivered once and ordered by cseq', async () => {
  const { connections, frames, stream } = await open()
  connections[0]!.frame(resetFrame(5, 3))
  for (const cseq of [3, 4, 4, 5]) {
    const data = { room_id: 7, cseq, change: 'edited' as const, message: messageOf(2, { cseq }) }
    connections[0]!.frame({ event: 'message_updated', data })
  }
  await settle()
  const given = frames.flatMap((frame) => (frame.event === 'message_updated' ? [frame.data.cseq] : []))
  expect(given).toEqual([4, 5])
  stream.close()
})

it('after a reset the stream continues from the heads in the frame', async () => {
  const { connections, frames, seqs, asked, stream } = await open(0)
  connections[0]!.frame(resetFrame(5))
  connections[0]!.frame(messageFrame(6))
  connections[0]!.frame(resetFrame(100))
  connections[0]!.frame(messageFrame(101))
  await settle()
  expect(seqs()).toEqual([6, 101])
  expect(asked).toEqual([])
  expect(frames.filter(({ event }) => event === 'reset')).toHaveLength(2)
  stream.close()
})

it('a reset discards the position of a room that it does not name', async () => {
  const { connections, seqs, asked, stream } = await open(20)
  connections[0]!.frame(resetFrame(5))
  connections[0]!.frame({ event: 'reset', data: { stream_id: 's', reason: 'too_old', rooms: [] } })
  connections[0]!.frame(messageFrame(20))
  await settle()
  expect(seqs()).toEqual([20])
  expect(asked).toEqual([])
  stream.close()
})

it('unknown and invalid frames change nothing', async () => {
  const { connections, frames, stream } = await open()
  connections[0]!.frame(resetFrame(5))
  connections[0]!.raw('from_the_future', '{"x":1}')
  connections[0]!.raw('typing', '{"room_id":"seven"}')
  connections[0]!.frame(messageFrame(6))
  await settle()
  expect(frames.map(({ event }) => event)).toEqual(['reset', 'message'])
  stream.close()
})

describe('the stream connection', () => {
  it('a broken stream connection reconnects with the last position', async () => {
    const { connections, states, stream, reconnect } = await open()
    connections[0]!.frame(resetFrame(5), 'at-5')
    await settle()
    connections[0]!.fail(new Error('broken'))
    await settle()
    expect(states.slice(0, 3)).toEqual(['connecting', 'open', 'waiting'])
    await reconnect()
    expect(connections[1]!.lastEventId).toBe('at-5')
    stream.close()
  })

  it('the stream waits exactly as long as a reconnect frame requests', async () => {
    const { connections, stream } = await open()
    connections[0]!.frame(resetFrame(5))
    connections[0]!.frame({ event: 'reconnect', data: { delay_ms: 3_000 } })
    await settle()
    connections[0]!.end()
    await vi.advanceTimersByTimeAsync(2_999)
    expect(connections).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(connections).toHaveLength(2)
    stream.close()
  })

  it('the stream waits at least as long as Retry-After requests', async () => {
    const { connections, stream } = await open()
    connections[0]!.fail(problem(429, 'OVERLOADED', 5))
    await vi.advanceTimersByTimeAsync(4_999)
    expect(connections).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(501)
    expect(connections).toHaveLength(2)
    stream.close()
  })

  it('the stream backs off up to 30 s, and restarts the backoff after a successful connection', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const { connections, stream } = await open()
    const waits: number[] = []
    for (let attempt = 0; attempt < 9; attempt++) {
      const start = Date.now()
      connections.at(-1)!.fail(new Error('down'))
      const before = connections.length
      while (connections.length === before) await vi.advanceTimersByTimeAsync(100)
      waits.push(Date.now() - start)
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    connections.at(-1)!.frame(resetFrame(5))
    await settle()
    connections.at(-1)!.fail(new Error('down'))
    await vi.advanceTimersByTimeAsync(500)
    expect(connections).toHaveLength(11)
    stream.close()
    vi.restoreAllMocks()
  })

  it('a stream connection counts as dead after a silence, which any frame ends', async () => {
    const { connections, stream, reconnect } = await open(0, 1_000)
    connections[0]!.frame(resetFrame(5))
    await vi.advanceTimersByTimeAsync(900)
    connections[0]!.raw('from_the_future', '{}')
    await vi.advanceTimersByTimeAsync(900)
    expect(connections[0]!.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(100)
    expect(connections[0]!.signal.aborted).toBe(true)
    await reconnect()
    expect(connections).toHaveLength(2)
    stream.close()
  })

  it('the stream ends permanently when the session has ended', async () => {
    const { connections, states, reasons, session } = await open()
    session.refuse = problem(401, 'REFRESH_TOKEN_INVALID')
    connections[0]!.fail(problem(401, 'SESSION_REVOKED'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(session.refreshes).toBe(1)
    expect(connections).toHaveLength(1)
    expect(states.at(-1)).toBe('closed')
    expect(reasons.at(-1)).toMatchObject({ kind: 'signed_out', error: { code: 'SESSION_REVOKED' } })
  })

  it('the stream reconnects after a 401 if a new token is accepted or the server is unreachable', async () => {
    const { connections, session, stream, reconnect } = await open()
    connections[0]!.fail(problem(401, 'TOKEN_INVALID'))
    await reconnect()
    expect(connections).toHaveLength(2)
    session.refuse = new Error('no network')
    connections[1]!.fail(problem(401, 'TOKEN_INVALID'))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(connections).toHaveLength(3)
    stream.close()
  })

  it('the stream ends immediately and permanently when closed by its owner', async () => {
    const { connections, states, stream } = await open()
    connections[0]!.frame(resetFrame(5))
    await settle()
    stream.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(connections[0]!.signal.aborted).toBe(true)
    expect(connections).toHaveLength(1)
    expect(states.at(-1)).toBe('closed')
  })
})

it('the stream connection passes frames of unknown names to onUnknownFrame, and delivers later frames', async () => {
  const { session } = fakeSession()
  const { transport, connections } = fakeTransport()
  const unknown: string[][] = []
  const frames: string[] = []
  const onUnknownFrame = (name: string, data: string) => void unknown.push([name, data])
  const stream = new ChatStream({
    session,
    transport,
    listener: { onFrame: ({ event }) => void frames.push(event), onUnknownFrame },
  })
  stream.start()
  await settle()
  connections[0]!.frame(resetFrame(5))
  connections[0]!.raw('poll', '{"room_id":7}')
  connections[0]!.frame(messageFrame(6))
  await settle()
  expect(unknown).toEqual([['poll', '{"room_id":7}']])
  expect(frames).toEqual(['reset', 'message'])
  stream.close()
})

it('the stream connection delivers a message of an unknown message_type like any other', async () => {
  const { connections, frames, stream } = await open()
  connections[0]!.frame(resetFrame(5))
  const message = messageOf(6, { message_type: 'poll' as Message['message_type'] })
  connections[0]!.frame({ event: 'message', data: { room_id: 7, seq: 6, message } })
  await settle()
  expect(frames.at(-1)).toMatchObject({ data: { message: { message_type: 'poll', seq: 6 } } })
  stream.close()
})

it('the stream connection gives every reader all frames until the stream is closed', async () => {
  const { connections, stream } = await open()
  const read: string[][] = [[], []]
  const readers = read.map(async (events) => {
    for await (const { event } of stream) events.push(event)
  })
  connections[0]!.frame(resetFrame(5))
  connections[0]!.frame(messageFrame(6))
  await settle()
  expect(read).toEqual([
    ['reset', 'message'],
    ['reset', 'message'],
  ])
  stream.close()
  await settle()
  await Promise.all(readers)
})

it('onState reports the reason of each wait and of the end', async () => {
  const { connections, reasons, stream, reconnect } = await open()
  const broken = new Error('broken')
  connections[0]!.frame(resetFrame(5))
  await settle()
  connections[0]!.fail(broken)
  await settle()
  expect(reasons.at(-1)).toEqual({ kind: 'failed', error: broken, retryInMs: expect.any(Number) })
  await reconnect()
  connections[1]!.frame(readyFrame(5))
  connections[1]!.frame({ event: 'reconnect', data: { delay_ms: 3_000 } })
  await settle()
  connections[1]!.end()
  await settle()
  expect(reasons.at(-1)).toEqual({ kind: 'planned', retryInMs: 3_000 })
  stream.close()
  await settle()
  expect(reasons.at(-1)).toEqual({ kind: 'closed' })
})
