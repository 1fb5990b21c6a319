import { createParser } from 'eventsource-parser'
import { NetworkFailure } from './api-problem.ts'
import { type Http, problemOf } from './http.ts'
import { acknowledgeStream, createStreamTicket, openStream, streamFrameNames } from './operations.ts'
import type { Session } from './session.ts'

export interface TransportEvents {
  /** A frame's name and its data, not yet checked. */
  onFrame(name: string, data: string): void
  /** The position to resume from, after the frame that it includes: one that failed must come again. */
  onId(id: string): void
}

/** Opens one connection. Resolves when the server ended it; rejects when it broke or was refused. */
export interface StreamTransport {
  (options: {
    readonly lastEventId: string | undefined
    readonly signal: AbortSignal
    readonly events: TransportEvents
  }): Promise<void>
  /** Called when the stream is closed for good. */
  readonly close?: () => void
}

/** The server closes a stream that is not acknowledged for 50 s; heartbeats come every 15 s. */
const ACK_EVERY_MS = 25_000

/** Acknowledges heartbeats: the only sign for the server that the network between the two still works. */
function acknowledging(session: Session, events: TransportEvents): TransportEvents {
  let streamId: string | undefined
  let acknowledgedAt = Date.now()
  const acknowledge = async (stream_id: string) => {
    await session.call(acknowledgeStream, { body: { stream_id } })
    acknowledgedAt = Date.now()
  }
  return {
    ...events,
    onFrame: (name, data) => {
      if (name === 'ready' || name === 'reset') streamId = JSON.parse(data).stream_id
      // One that fails is repeated with the next heartbeat.
      if (name === 'heartbeat' && streamId && Date.now() - acknowledgedAt >= ACK_EVERY_MS)
        void acknowledge(streamId).catch(() => undefined)
      events.onFrame(name, data)
    },
  }
}

/** Over fetch, with the token in the header: in Node, and where a page may read streams. */
export function fetchTransport(http: Http, session: Session): StreamTransport {
  return async ({ lastEventId, signal, events: listener }) => {
    const events = acknowledging(session, listener)
    const response = await http.fetch(`${http.baseUrl}${openStream.path}?acks=1`, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${await session.token()}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal,
    })
    if (!response.ok) throw await problemOf(response)
    if (!response.body) throw new NetworkFailure(new Error('The answer has no body.'))
    const parser = createParser({
      onEvent: ({ event, data, id }) => {
        events.onFrame(event ?? 'message', data)
        if (id !== undefined) events.onId(id)
      },
    })
    const decoder = new TextDecoder()
    // Not by `for await`: Safari cannot.
    const reader = response.body.getReader()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parser.feed(decoder.decode(part.value, { stream: true }))
    }
  }
}

/** Just what is used of the browser's EventSource, so that the package also type-checks for Node. */
interface EventSourceLike {
  onerror: ((event: unknown) => void) | null
  addEventListener(name: string, listener: (event: { data: string; lastEventId: string }) => void): void
  close(): void
}
declare const EventSource: new (url: string) => EventSourceLike

/**
 * Over the browser's EventSource. It cannot send a header, hence a single-use ticket in the URL,
 * never a token; and since the ticket is used up, a lost connection is opened anew by us.
 */
export function eventSourceTransport(http: Http, session: Session): StreamTransport {
  return async ({ lastEventId, signal, events: listener }) => {
    const events = acknowledging(session, listener)
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
