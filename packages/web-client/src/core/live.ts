import { ChatStream, eventSourceTransport, type StreamFrame, type StreamState } from '@bigtech/client'
import { http, session } from './api.ts'
import { Store } from './store.ts'

type Note = { kind: 'frame'; frame: StreamFrame } | { kind: 'state'; state: StreamState } | { kind: 'hello' }

export type FrameListener = (frame: StreamFrame) => void

/** One received frame, for the developer drawer. */
export interface LoggedFrame {
  readonly id: number
  readonly at: number
  readonly frame: StreamFrame
}

const LOGGED_FRAMES = 200

export const streamState = new Store<StreamState>('connecting')
export const isLeader = new Store(false)
export const frameLog = new Store<readonly LoggedFrame[]>([])

let nextLogId = 1

/**
 * The event stream of this browser. HTTP/1.1 allows six connections to a host, so only one tab holds
 * the stream: the holder of a Web Lock, which posts every frame to the others. When that tab closes,
 * the browser gives the lock to the next one.
 */
export class Live {
  readonly #listeners = new Set<FrameListener>()
  readonly #channel: BroadcastChannel
  readonly #closing = new AbortController()
  #stream: ChatStream | undefined

  constructor(userId: number) {
    this.#channel = new BroadcastChannel(`bigtech-chat.stream.${userId}`)
    this.#channel.onmessage = ({ data }: MessageEvent<Note>) => this.#hear(data)
    this.#elect(`bigtech-chat.stream.${userId}`)
  }

  onFrame(listener: FrameListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Drops the connection; the SDK resumes it. */
  reconnect(): void {
    this.#stream?.reconnect()
  }

  close(): void {
    this.#closing.abort()
    this.#stream?.close()
    this.#channel.close()
    isLeader.set(false)
    frameLog.set([])
  }

  #elect(name: string): void {
    // Without a secure context there are no locks: every tab has a stream then.
    if (!navigator.locks) {
      this.#lead()
      return
    }
    this.#post({ kind: 'hello' })
    const { signal } = this.#closing
    navigator.locks
      .request(name, { signal }, () => {
        this.#lead()
        return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      })
      .catch(() => undefined)
  }

  #lead(): void {
    isLeader.set(true)
    this.#stream = new ChatStream({
      session,
      transport: eventSourceTransport(http, session),
      listener: {
        onFrame: (frame) => {
          this.#post({ kind: 'frame', frame })
          this.#deliver(frame)
        },
        onState: (state) => {
          streamState.set(state)
          this.#post({ kind: 'state', state })
        },
      },
    })
    this.#stream.start()
  }

  #hear(note: Note): void {
    if (note.kind === 'frame') this.#deliver(note.frame)
    else if (note.kind === 'state') streamState.set(note.state)
    else if (this.#stream) this.#post({ kind: 'state', state: streamState.get() })
  }

  #post(note: Note): void {
    if (!this.#closing.signal.aborted) this.#channel.postMessage(note)
  }

  #deliver(frame: StreamFrame): void {
    frameLog.update((log) => [...log.slice(1 - LOGGED_FRAMES), { id: nextLogId++, at: Date.now(), frame }])
    for (const listener of this.#listeners) listener(frame)
  }
}
