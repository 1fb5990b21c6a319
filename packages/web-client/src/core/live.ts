import {
  ChatStream,
  eventSourceTransport,
  type StreamFrame,
  type StreamState,
  sharedTransport,
} from '@bigtech/client'
import { http, session } from './api.ts'
import { Store } from './store.ts'

type FrameListener = (frame: StreamFrame) => void

/** A received frame, for the developer drawer. */
export interface LoggedFrame {
  readonly id: number
  readonly at: number
  readonly frame: StreamFrame
}

const LOGGED_FRAMES = 200

export const streamState = new Store<StreamState>('connecting')
export const frameLog = new Store<readonly LoggedFrame[]>([])

let nextLogId = 1

/** The event stream: one connection for all tabs of the browser, whose frames are distributed to each tab. */
export class Live {
  readonly #listeners = new Set<FrameListener>()
  readonly #stream: ChatStream

  constructor(userId: number) {
    this.#stream = new ChatStream({
      session,
      transport: sharedTransport({ name: String(userId), inner: eventSourceTransport(http, session) }),
      listener: {
        onFrame: (frame) => this.#deliver(frame),
        onState: (state) => streamState.set(state),
      },
    })
    this.#stream.start()
  }

  onFrame(listener: FrameListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Drops the connection; the SDK resumes it. */
  reconnect(): void {
    this.#stream.reconnect()
  }

  close(): void {
    this.#stream.close()
    frameLog.set([])
  }

  #deliver(frame: StreamFrame): void {
    frameLog.update((log) => [...log.slice(1 - LOGGED_FRAMES), { id: nextLogId++, at: Date.now(), frame }])
    for (const listener of this.#listeners) listener(frame)
  }
}
