import { messageExample } from '@bigtech/contracts'
import type { StreamFrame } from '../src/frames.ts'
import type { Message } from '../src/operations.ts'
import type { Session } from '../src/session.ts'
import type { StreamTransport, TransportEvents } from '../src/transport.ts'

/** One connection of the fake transport, controlled by a test. */
interface FakeConnection {
  readonly lastEventId: string | undefined
  readonly signal: AbortSignal
  /** Sends a frame with the position that includes it. */
  frame(frame: StreamFrame, id?: string): void
  raw(name: string, data: string): void
  /** Ends the connection regularly. */
  end(): void
  /** Breaks or refuses the connection. */
  fail(err: unknown): void
}

export interface FakeTransport {
  readonly transport: StreamTransport
  readonly connections: FakeConnection[]
}

export function fakeTransport(): FakeTransport {
  const connections: FakeConnection[] = []
  const transport: StreamTransport = ({ lastEventId, signal, events }) =>
    new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      connections.push(connectionOf(lastEventId, signal, events, resolve, reject))
    })
  return { transport, connections }
}

function connectionOf(
  lastEventId: string | undefined,
  signal: AbortSignal,
  events: TransportEvents,
  resolve: () => void,
  reject: (err: unknown) => void,
): FakeConnection {
  return {
    lastEventId,
    signal,
    frame: ({ event, data }, id) => {
      events.onFrame(event, JSON.stringify(data))
      if (id !== undefined) events.onId(id)
    },
    raw: (name, data) => events.onFrame(name, data),
    end: resolve,
    fail: reject,
  }
}

/** A fake session that returns `listMessages` from a history, and refreshes as configured. */
export function fakeSession(history: readonly Message[] = []) {
  const asked: { after_seq: number; limit: number }[] = []
  const state = {
    refreshes: 0,
    refuse: undefined as unknown,
    failRepairs: 0,
    repairFailure: new Error('no history') as unknown,
  }
  const session = {
    refresh: async () => {
      state.refreshes++
      if (state.refuse) throw state.refuse
    },
    call: async (_contract: unknown, input: { query: { after_seq: number; limit: number } }) => {
      asked.push(input.query)
      if (state.failRepairs-- > 0) throw state.repairFailure
      const { after_seq, limit } = input.query
      return { items: history.filter(({ seq }) => seq > after_seq).slice(0, limit) }
    },
  }
  return { session: session as unknown as Session, asked, state }
}

export const messageOf = (seq: number, changes: Partial<Message> = {}): Message => ({
  ...(messageExample as unknown as Message),
  message_id: `7:${String(seq).padStart(12, '0')}`,
  room_id: 7,
  seq,
  ...changes,
})

export const messageFrame = (seq: number): StreamFrame => ({
  event: 'message',
  data: { room_id: 7, seq, message: messageOf(seq) },
})

export const resetFrame = (seq: number, cseq = 0): StreamFrame => ({
  event: 'reset',
  data: { stream_id: 's', reason: 'new', rooms: [{ room_id: 7, seq, cseq }] },
})

export const readyFrame = (seq: number): StreamFrame => ({
  event: 'ready',
  data: { stream_id: 's', rooms: [{ room_id: 7, seq, cseq: 0 }] },
})
