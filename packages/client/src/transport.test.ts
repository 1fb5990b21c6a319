import { afterEach, describe, expect, it, vi } from 'vitest'
import { Http } from './http.ts'
import type { Session } from './session.ts'
import { fetchTransport } from './transport.ts'

const session = { token: async () => 'token-1' } as unknown as Session

/** Connects to a fake server and records the events. */
async function connect(respond: () => Response, lastEventId?: string) {
  const seen: string[] = []
  const requests: { url: string; headers: Headers }[] = []
  const fetchOf = async (url: string, init: RequestInit) => {
    requests.push({ url, headers: new Headers(init.headers) })
    return respond()
  }
  const http = new Http({ baseUrl: 'http://api', fetch: fetchOf as unknown as typeof fetch })
  const done = fetchTransport(
    http,
    session,
  )({
    lastEventId,
    signal: new AbortController().signal,
    events: {
      onFrame: (name, data) => void seen.push(`${name} ${data}`),
      onId: (id) => void seen.push(`id ${id}`),
    },
  })
  return { done, seen, requests }
}

/** Splits the response into pieces of a few bytes, so that characters and lines are cut anywhere. */
function inPieces(text: string): Response {
  const bytes = new TextEncoder().encode(text)
  const body = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 3) controller.enqueue(bytes.slice(at, at + 3))
      controller.close()
    },
  })
  return new Response(body)
}

/** Opens a stream that waits for frames. */
function openStream(session: Session) {
  const { readable, writable } = new TransformStream<Uint8Array>()
  const fetchOf = async () => new Response(readable)
  const http = new Http({ baseUrl: 'http://api', fetch: fetchOf as unknown as typeof fetch })
  const closing = new AbortController()
  const events = { onFrame: () => undefined, onId: () => undefined }
  const done = fetchTransport(http, session)({ lastEventId: undefined, signal: closing.signal, events })
  const writer = writable.getWriter()
  return {
    send: (frame: string) => writer.write(new TextEncoder().encode(frame)),
    abort: () => closing.abort(),
    end: async () => {
      closing.abort()
      await writer.close()
      await done
    },
  }
}

const READY = 'event: ready\ndata: {"stream_id":"s-1","rooms":[]}\n\n'
const HEARTBEAT = 'event: heartbeat\ndata: {}\n\n'

describe('the stream over fetch', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('the stream over fetch delivers each frame before the position that includes it', async () => {
    const text =
      'id: 1\nevent: message\ndata: {"a":"안녕"}\n\n: comment\n\nevent: typing\ndata: {}\n\nid: 2\nevent: x\ndata: 1\n\n'
    const { done, seen } = await connect(() => inPieces(text))
    await done
    expect(seen).toEqual(['message {"a":"안녕"}', 'id 1', 'typing {}', 'x 1', 'id 2'])
  })

  it('the stream over fetch sends token and position in headers, never in the URL', async () => {
    const { done, requests } = await connect(() => inPieces(''), 'cursor-7')
    await done
    expect(requests[0]!.url).toBe('http://api/stream?acks=1')
    expect(requests[0]!.headers.get('authorization')).toBe('Bearer token-1')
    expect(requests[0]!.headers.get('last-event-id')).toBe('cursor-7')
  })

  it('the stream over fetch ignores a truncated frame', async () => {
    const { done, seen } = await connect(() => inPieces('event: a\ndata: 1\n\nid: 2\nevent: b\ndata: 2'))
    await done
    expect(seen).toEqual(['a 1'])
  })

  it("a refused stream rejects with the server's problem", async () => {
    const body = { type: 'about:blank', title: 'x', status: 429, code: 'OVERLOADED', request_id: 'r' }
    const { done } = await connect(() =>
      Response.json(body, { status: 429, headers: { 'retry-after': '5' } }),
    )
    await expect(done).rejects.toMatchObject({ code: 'OVERLOADED', retryAfterSeconds: 5 })
  })

  it('the stream over fetch acknowledges every second heartbeat, and retries a failed acknowledgement twice before the next one', async () => {
    vi.useFakeTimers()
    const start = Date.now()
    const acks: { atMs: number; body: unknown }[] = []
    const { send, end } = openStream({
      token: async () => 'token-1',
      call: async (_operation: unknown, { body }: { body: unknown }) => {
        acks.push({ atMs: Date.now() - start, body })
        if ([2, 3].includes(acks.length)) throw new Error('no network')
      },
    } as unknown as Session)
    await send(READY)
    for (let beat = 1; beat <= 6; beat++) {
      await vi.advanceTimersByTimeAsync(15_000)
      await send(HEARTBEAT)
    }
    await vi.advanceTimersByTimeAsync(1_000)
    expect(acks.map(({ atMs }) => atMs)).toEqual([30_000, 60_000, 64_000, 72_000, 90_000])
    expect(acks[0]!.body).toEqual({ stream_id: 's-1' })
    await end()
  })

  it('the stream over fetch retries an acknowledgement at 4 and 12 s, and then with the next heartbeat', async () => {
    vi.useFakeTimers()
    const start = Date.now()
    const acks: number[] = []
    const { send, end } = openStream({
      token: async () => 'token-1',
      call: async () => {
        acks.push(Date.now() - start)
        throw new Error('no network')
      },
    } as unknown as Session)
    await send(READY)
    for (let beat = 1; beat <= 3; beat++) {
      await vi.advanceTimersByTimeAsync(15_000)
      await send(HEARTBEAT)
    }
    await vi.advanceTimersByTimeAsync(14_000)
    expect(acks).toEqual([30_000, 34_000, 42_000, 45_000, 49_000, 57_000])
    await end()
  })

  it('the stream over fetch does not acknowledge again after it was closed', async () => {
    vi.useFakeTimers()
    let acks = 0
    const { send, abort, end } = openStream({
      token: async () => 'token-1',
      call: async () => {
        acks++
        throw new Error('no network')
      },
    } as unknown as Session)
    await send(READY)
    await vi.advanceTimersByTimeAsync(30_000)
    await send(HEARTBEAT)
    await vi.advanceTimersByTimeAsync(0)
    expect(acks).toBe(1)
    abort()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(acks).toBe(1)
    await end()
  })
})
