import type { StreamFrame } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'

export type Received = StreamFrame & { readonly id: string | null }

export interface TestStream {
  /** The frames received so far, in dispatch order of an EventSource. */
  readonly frames: Received[]
  readonly lastEventId: string
  readonly contentType: string
  readonly ended: boolean
  waitFor<Name extends StreamFrame['event']>(
    event: Name,
    matches?: (data: Extract<StreamFrame, { event: Name }>['data']) => boolean,
    timeoutMs?: number,
  ): Promise<Extract<StreamFrame, { event: Name }>['data']>
  /** Destroys the connection, even in the middle of a frame. */
  kill(): void
}

export interface OpenOptions {
  readonly token?: string
  readonly lastEventId?: string
  readonly query?: string
  /** Called with each dispatched frame. */
  readonly onFrame?: (frame: Received) => void
}

/** Opens an event stream over HTTP and parses it as the EventSource specification requires. */
export async function openTestStream(address: string, options: OpenOptions): Promise<TestStream> {
  const abort = new AbortController()
  const response = await fetch(`${address}/stream${options.query ?? ''}`, {
    signal: abort.signal,
    headers: {
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
      ...(options.lastEventId ? { 'last-event-id': options.lastEventId } : {}),
    },
  })
  if (response.status !== 200) throw new Error(`stream: ${response.status} ${await response.text()}`)
  const frames: Received[] = []
  const state = { lastEventId: options.lastEventId ?? '', ended: false }
  void read(response.body!, (block) => {
    const received = dispatch(block, state)
    if (!received) return
    frames.push(received)
    options.onFrame?.(received)
  })
    .catch(() => undefined)
    .finally(() => {
      state.ended = true
    })
  return {
    frames,
    contentType: response.headers.get('content-type') ?? '',
    get lastEventId() {
      return state.lastEventId
    },
    get ended() {
      return state.ended
    },
    waitFor: async (event, matches = () => true, timeoutMs = 10_000) => {
      const found = await waitFor(
        () => frames.find((each) => each.event === event && matches(each.data as never)),
        { timeoutMs, what: `frame ${event}; got ${frames.map((each) => each.event).join(' ')}` },
      )
      return found.data as never
    },
    kill: () => abort.abort(),
  }
}

async function read(body: ReadableStream<Uint8Array>, onBlock: (block: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let buffer = ''
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true })
    for (let end = buffer.indexOf('\n\n'); end !== -1; end = buffer.indexOf('\n\n')) {
      onBlock(buffer.slice(0, end))
      buffer = buffer.slice(end + 2)
    }
  }
}

/** Applies the id together with its frame; ignores a truncated block. */
function dispatch(block: string, state: { lastEventId: string }): Received | undefined {
  let event = 'message'
  let data: string | undefined
  let id: string | null = null
  for (const line of block.split('\n')) {
    if (line.startsWith('id: ')) id = line.slice(4)
    if (line.startsWith('event: ')) event = line.slice(7)
    if (line.startsWith('data: ')) data = line.slice(6)
  }
  if (id !== null) state.lastEventId = id
  return data === undefined ? undefined : ({ event, data: JSON.parse(data), id } as Received)
}
