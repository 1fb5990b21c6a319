import {
  ChatStream,
  fetchTransport,
  Http,
  memorySessionStore,
  Session,
  type StreamFrame,
} from '@bigtech/client'
import { waitFor } from '@bigtech/testkit'
import { type Person, stack } from './stack.ts'

/** One connection without reconnects. */
export interface Connection {
  readonly frames: readonly { readonly name: string; readonly data: Record<string, unknown> }[]
  readonly ended: boolean
  close(): void
}

/** Opens a stream with a token at one process of chat-service; resolves after its first frame. */
export async function connect(token: string, address: string = stack.chat): Promise<Connection> {
  const http = new Http({ baseUrl: address })
  const closing = new AbortController()
  const frames: { name: string; data: Record<string, unknown> }[] = []
  const state = { ended: false }
  let failure: unknown
  fetchTransport(http, { token: async () => token } as Session)({
    lastEventId: undefined,
    signal: closing.signal,
    events: {
      onFrame: (name, data) => frames.push({ name, data: JSON.parse(data) }),
      onId: () => undefined,
    },
  })
    .catch((err: unknown) => {
      failure = err
    })
    .finally(() => {
      state.ended = true
    })
  await waitFor(() => frames.length > 0 || state.ended, { what: 'the first frame' })
  if (frames.length === 0) throw new Error('The stream was not opened.', { cause: failure })
  return {
    frames,
    get ended() {
      return state.ended
    },
    close: () => closing.abort(),
  }
}

/** The SDK's stream, which reconnects, resumes and repairs gaps. */
export interface Watch {
  readonly frames: readonly StreamFrame[]
  readonly session: Session
  /** Returns the seqs of one room in order of delivery. */
  seqs(room: number): number[]
  /** Number of connections. */
  readonly opened: number
  close(): void
}

/** Signs in with the SDK and opens a stream; resolves after the first frame. */
export async function watch(
  person: Person,
  baseUrl = `${stack.gateway}/api`,
  { onOpen, ...options }: { fetch?: typeof fetch; onOpen?: () => void } = {},
): Promise<Watch> {
  const api = new Http({ baseUrl, ...options })
  const session = new Session(api, keptSession(person))
  const frames: StreamFrame[] = []
  let opened = 0
  const stream = new ChatStream({
    session,
    transport: fetchTransport(api, session),
    listener: {
      onFrame: (frame) => frames.push(frame),
      onState: (state) => {
        if (state !== 'open') return
        opened++
        onOpen?.()
      },
    },
  })
  stream.start()
  await waitFor(() => frames.length > 0, { what: 'the first frame', timeoutMs: 20_000 })
  return {
    frames,
    session,
    seqs: (room) =>
      frames.flatMap((frame) =>
        frame.event === 'message' && frame.data.room_id === room ? [frame.data.seq] : [],
      ),
    get opened() {
      return opened
    },
    close: () => stream.close(),
  }
}

/** Returns a store with the user's existing session, because signing in costs a password hash. */
function keptSession({ id, token, refreshToken }: Person) {
  const store = memorySessionStore()
  const lifetimeMs = 9 * 60_000
  store.save({
    accessToken: token,
    refreshToken,
    accessExpiresAt: Date.now() + lifetimeMs,
    userId: id,
  })
  return store
}
