import { describe, expect, it, vi } from 'vitest'
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

describe('the stream over fetch', () => {
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

  it('the stream over fetch acknowledges a heartbeat every 30 s, and retries a failed acknowledgement with the next heartbeat', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const start = Date.now()
    const acks: { atMs: number; body: unknown }[] = []
    const acknowledgingSession = {
      token: async () => 'token-1',
      call: async (_operation: unknown, { body }: { body: unknown }) => {
        acks.push({ atMs: Date.now() - start, body })
        if (acks.length === 2) throw new Error('no network')
      },
    } as unknown as Session
    const frames = [
      'event: ready\ndata: {"stream_id":"s-1","rooms":[]}\n\n',
      ...Array(8).fill('event: heartbeat\ndata: {}\n\n'),
    ]
    const body = new ReadableStream(
      {
        async pull(controller) {
          const frame = frames.shift()
          if (frame === undefined) return controller.close()
          if (frame.startsWith('event: heartbeat')) vi.setSystemTime(Date.now() + 15_000)
          controller.enqueue(new TextEncoder().encode(frame))
          await new Promise((resolve) => setImmediate(resolve))
        },
      },
      { highWaterMark: 0 },
    )
    const http = new Http({
      baseUrl: 'http://api',
      fetch: (async () => new Response(body)) as unknown as typeof fetch,
    })
    await fetchTransport(
      http,
      acknowledgingSession,
    )({
      lastEventId: undefined,
      signal: new AbortController().signal,
      events: { onFrame: () => undefined, onId: () => undefined },
    })
    vi.useRealTimers()
    expect(acks.map(({ atMs }) => atMs)).toEqual([30_000, 60_000, 75_000, 105_000])
    expect(acks[0]!.body).toEqual({ stream_id: 's-1' })
  })
})
