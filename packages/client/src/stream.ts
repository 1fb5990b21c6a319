import { ApiProblem } from './api-problem.ts'
import { FrameQueue } from './frame-queue.ts'
import { readFrame, type StreamFrame, type StreamFrameData } from './frames.ts'
import { listMessages, type Message } from './operations.ts'
import type { Session } from './session.ts'
import type { StreamTransport } from './transport.ts'

export type StreamState = 'connecting' | 'open' | 'waiting' | 'closed'

/** The reason of a state. */
export interface StateReason {
  /**
   * - `closed`: `close()` was called. `signed_out`: the session has ended.
   * - `planned`: the server requested a later reconnect. `failed`: the connection broke, or was refused.
   */
  readonly kind: 'closed' | 'signed_out' | 'planned' | 'failed'
  readonly error?: unknown
  /** Milliseconds until the next attempt, while waiting. */
  readonly retryInMs?: number
}

export interface StreamListener {
  /** Called in order, once per message. After `reset`, fetch the displayed data again: frames continue from there. */
  onFrame(frame: StreamFrame): void
  onState?(state: StreamState, reason?: StateReason): void
  /** Called for a frame of a newer server. */
  onUnknownFrame?(name: string, data: string): void
}

export interface ChatStreamOptions {
  readonly session: Session
  readonly transport: StreamTransport
  readonly listener?: StreamListener
  /** Time without any frame after which the connection counts as dead (the heartbeat is every 15 s). */
  readonly silenceTimeoutMs?: number
}

interface Head {
  seq: number
  cseq: number
}

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000
const REPAIR_PAGE = 100

/**
 * The persistent event stream: reconnects with jittered backoff, resumes at its position, drops duplicates,
 * and repairs a gap from the history before delivering later messages. Listeners receive every message of
 * every room once and in order.
 */
export class ChatStream {
  readonly #options: ChatStreamOptions & { readonly silenceTimeoutMs: number }
  readonly #queues = new Set<FrameQueue>()
  readonly #heads = new Map<number, Head>()
  readonly #closing = new AbortController()
  #connection: AbortController | undefined
  #lastEventId: string | undefined
  #failures = 0
  #plannedDelayMs: number | undefined
  /** The error in handling a frame, which ended the connection. */
  #stepFailure: unknown
  /** Such a frame is repeated on every connection, so that a successful connection must not reset the backoff. */
  #isStuck = false
  /** Handles frames sequentially, because a repair must finish before the next frame. */
  #tail: Promise<void> = Promise.resolve()
  #silence: ReturnType<typeof setTimeout> | undefined

  constructor(options: ChatStreamOptions) {
    this.#options = { silenceTimeoutMs: 40_000, ...options }
  }

  /** Connects, and stays connected until `close()` or until the session has ended. */
  start(): void {
    void this.#run()
  }

  close(): void {
    this.#closing.abort()
    this.#connection?.abort()
    this.#options.transport.close?.()
    clearTimeout(this.#silence)
  }

  /** Drops the connection, which reconnects automatically. For tests, and for pages resumed from sleep. */
  reconnect(): void {
    this.#connection?.abort()
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#setState('connecting')
      const failure = await this.#connectOnce()
      if (this.#closing.signal.aborted) break
      if (failure instanceof ApiProblem && failure.status === 401 && !(await this.#signedIn())) {
        this.#end({ kind: 'signed_out', error: failure })
        return
      }
      await this.#pause(failure)
    }
    this.#end({ kind: 'closed' })
  }

  #end(reason: StateReason): void {
    for (const queue of this.#queues) queue.end()
    this.#setState('closed', reason)
  }

  /** Iterates over the frames from now on until the stream is closed. A slow consumer slows the stream down. */
  [Symbol.asyncIterator](): AsyncIterator<StreamFrame> {
    const queue = new FrameQueue()
    this.#queues.add(queue)
    return {
      next: () => queue.next(),
      return: async () => {
        this.#queues.delete(queue)
        queue.end()
        return { done: true, value: undefined }
      },
    }
  }

  /**
   * Returns whether the session is still valid: a rejected token may only be too old for the server's clock,
   * which the refresh reveals.
   */
  async #signedIn(): Promise<boolean> {
    return this.#options.session.refresh().then(
      () => true,
      (err) => !(err instanceof ApiProblem && err.status === 401),
    )
  }

  async #connectOnce(): Promise<unknown> {
    const connection = new AbortController()
    this.#connection = connection
    this.#stepFailure = undefined
    this.#watchSilence()
    try {
      await this.#options.transport({
        lastEventId: this.#lastEventId,
        signal: connection.signal,
        events: {
          onId: (id) =>
            this.#enqueue(connection, async () => {
              this.#lastEventId = id
            }),
          onFrame: (name, data) => this.#receive(connection, name, data),
        },
      })
      return this.#stepFailure
    } catch (err) {
      return this.#stepFailure ?? err
    } finally {
      connection.abort()
      clearTimeout(this.#silence)
      await this.#tail
    }
  }

  #receive(connection: AbortController, name: string, data: string): void {
    this.#watchSilence()
    const frame = readFrame(name, data)
    if (!frame) {
      this.#options.listener?.onUnknownFrame?.(name, data)
      return
    }
    this.#enqueue(connection, async () => {
      await this.#handle(frame)
      await Promise.all([...this.#queues].map((queue) => queue.room()))
      if (frame.event !== 'ready' && frame.event !== 'reset') this.#isStuck = false
    })
  }

  /**
   * Queues a step. A failing step ends the connection before its position is stored, so that the next one
   * resumes before it.
   */
  #enqueue(connection: AbortController, step: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      if (connection.signal.aborted) return
      try {
        await step()
      } catch (err) {
        this.#stepFailure = err
        this.#isStuck = true
        connection.abort()
      }
    })
  }

  async #handle(frame: StreamFrame): Promise<void> {
    switch (frame.event) {
      case 'ready':
      case 'reset':
        return this.#opened(frame)
      case 'message':
        return this.#message(frame.data)
      case 'message_updated':
        return this.#updated(frame)
      case 'heartbeat':
        for (const { room_id, seq } of frame.data.heads) await this.#repair(room_id, seq)
        break
      case 'room_added':
        this.#heads.set(frame.data.room_id, { seq: frame.data.seq, cseq: frame.data.cseq })
        break
      case 'room_removed':
        this.#heads.delete(frame.data.room_id)
        break
      case 'reconnect':
        this.#plannedDelayMs = frame.data.delay_ms
        break
    }
    this.#emit(frame)
  }

  #opened(frame: StreamFrame & { event: 'ready' | 'reset' }): void {
    if (!this.#isStuck) this.#failures = 0
    this.#setState('open')
    if (frame.event === 'reset') {
      this.#heads.clear()
      for (const { room_id, seq, cseq } of frame.data.rooms) this.#heads.set(room_id, { seq, cseq })
    }
    this.#emit(frame)
  }

  async #message({ room_id, seq, message }: StreamFrameData<'message'>): Promise<void> {
    await this.#repair(room_id, seq - 1)
    this.#deliver(room_id, seq, message)
  }

  #updated(frame: StreamFrame & { event: 'message_updated' }): void {
    const head = this.#heads.get(frame.data.room_id)
    if (head && frame.data.cseq <= head.cseq) return
    if (head) head.cseq = frame.data.cseq
    this.#emit(frame)
  }

  /** Fetches missing messages up to `seq`; free without a gap. */
  async #repair(roomId: number, seq: number): Promise<void> {
    const head = this.#heads.get(roomId)
    while (head && head.seq < seq) {
      const { items } = await this.#options.session.call(listMessages, {
        params: { room_id: roomId },
        query: { after_seq: head.seq, limit: Math.min(REPAIR_PAGE, seq - head.seq) },
      })
      if (items.length === 0) return
      for (const message of items) this.#deliver(roomId, message.seq, message)
    }
  }

  #deliver(roomId: number, seq: number, message: Message): void {
    const head = this.#heads.get(roomId)
    if (head && seq <= head.seq) return
    if (head) head.seq = seq
    else this.#heads.set(roomId, { seq, cseq: 0 })
    this.#emit({ event: 'message', data: { room_id: roomId, seq, message } })
  }

  #watchSilence(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#connection?.abort(), this.#options.silenceTimeoutMs)
  }

  /** Full jitter spreads reconnects after an outage. */
  async #pause(failure: unknown): Promise<void> {
    const asked = failure instanceof ApiProblem ? (failure.retryAfterSeconds ?? 0) * 1_000 : 0
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++)
    const kind = this.#plannedDelayMs === undefined ? 'failed' : 'planned'
    const retryInMs = this.#plannedDelayMs ?? asked + Math.random() * ceiling
    this.#plannedDelayMs = undefined
    this.#setState('waiting', { kind, retryInMs, ...(failure === undefined ? {} : { error: failure }) })
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, retryInMs)
      this.#closing.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #emit(frame: StreamFrame): void {
    this.#options.listener?.onFrame(frame)
    for (const queue of this.#queues) queue.push(frame)
  }

  #setState(state: StreamState, reason?: StateReason): void {
    this.#options.listener?.onState?.(state, reason)
  }
}
