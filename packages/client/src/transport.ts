import { createParser } from 'eventsource-parser'
import { NetworkFailure } from './api-problem.ts'
import { type Http, problemOf } from './http.ts'
import { acknowledgeStream, createStreamTicket, openStream, streamFrameNames } from './operations.ts'
import type { Session } from './session.ts'

export interface TransportEvents {
  /** Receives a frame's name and unvalidated data. */
  onFrame(name: string, data: string): void
  /**
   * Receives the position to resume from, after the frame that it includes, because a failed frame must be
   * repeated.
   */
  onId(id: string): void
}

/** Opens one connection. Resolves when the server ended it; rejects when it broke or was refused. */
export interface StreamTransport {
  (options: {
    readonly lastEventId: string | undefined
    readonly signal: AbortSignal
    readonly events: TransportEvents
  }): Promise<void>
  /** Called when the stream is closed permanently. */
  readonly close?: () => void
}

/** Every second heartbeat is acknowledged: they come every 15 s. */
const ACK_EVERY_MS = 25_000
/** The server closes a stream without an acknowledgement for 50 s. */
const ACK_RETRIES_MS = [4_000, 8_000]

/** Acknowledges heartbeats, which show the server that the client is still connected. */
function acknowledging(session: Session, signal: AbortSignal, events: TransportEvents): TransportEvents {
  let streamId: string | undefined
  let acknowledgedAt = Date.now()
  let retry: ReturnType<typeof setTimeout> | undefined
  const acknowledge = async (stream_id: string, heartbeatAt: number, failures = 0) => {
    clearTimeout(retry)
    try {
      await session.call(acknowledgeStream, { body: { stream_id } })
      acknowledgedAt = heartbeatAt
    } catch {
      const delayMs = ACK_RETRIES_MS[failures]
      if (delayMs === undefined || signal.aborted) return
      retry = setTimeout(() => void acknowledge(stream_id, heartbeatAt, failures + 1), delayMs)
    }
  }
  signal.addEventListener('abort', () => clearTimeout(retry), { once: true })
  return {
    ...events,
    onFrame: (name, data) => {
      if (name === 'ready' || name === 'reset') streamId = JSON.parse(data).stream_id
      const now = Date.now()
      if (name === 'heartbeat' && streamId && now - acknowledgedAt >= ACK_EVERY_MS)
        void acknowledge(streamId, now)
      events.onFrame(name, data)
    },
  }
}

/** Connects over fetch, with the token in the header: for Node, and for pages that may read streams. */
export function fetchTransport(http: Http, session: Session): StreamTransport {
  return async ({ lastEventId, signal, events: listener }) => {
    const events = acknowledging(session, signal, listener)
    const response = await http.fetch(`${http.baseUrl}${openStream.path}?acks=1`, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${await session.token()}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal,
    })
    if (!response.ok) throw await problemOf(response)
    if (!response.body) throw new NetworkFailure(new Error('The response has no body.'))
    const parser = createParser({
      onEvent: ({ event, data, id }) => {
        events.onFrame(event ?? 'message', data)
        if (id !== undefined) events.onId(id)
      },
    })
    const decoder = new TextDecoder()
    // Not `for await`, which Safari does not support.
    const reader = response.body.getReader()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parser.feed(decoder.decode(part.value, { stream: true }))
    }
  }
}

/** The used part of the browser's EventSource, so that the package also type-checks for Node. */
interface EventSourceLike {
  onerror: ((event: unknown) => void) | null
  addEventListener(name: string, listener: (event: { data: string; lastEventId: string }) => void): void
  close(): void
}
declare const EventSource: new (url: string) => EventSourceLike

/**
 * Connects over the browser's EventSource, which cannot send headers: uses a single-use ticket in the URL,
 * never a token. Reconnects itself, because the ticket is used up.
 */
export function eventSourceTransport(http: Http, session: Session): StreamTransport {
  return async ({ lastEventId, signal, events: listener }) => {
    const events = acknowledging(session, signal, listener)
    const { ticket } = await session.call(createStreamTicket, {
      body: lastEventId === undefined ? {} : { last_event_id: lastEventId },
    })
    signal.throwIfAborted()
    const source = new EventSource(
      `${http.baseUrl}${openStream.path}?acks=1&ticket=${encodeURIComponent(ticket)}`,
    )
    try {
      await new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        source.onerror = () => reject(new NetworkFailure(new Error('The stream broke.')))
        for (const name of streamFrameNames) {
          source.addEventListener(name, ({ data, lastEventId: id }) => {
            events.onFrame(name, data)
            if (id) events.onId(id)
          })
        }
      })
    } finally {
      source.close()
    }
  }
}
