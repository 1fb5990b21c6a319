import type { ServerResponse } from 'node:http'
import type { Flushable, WriteBatcher } from './write-batcher.ts'

/** The part of an HTTP response used by a stream. */
export type StreamResponse = Pick<
  ServerResponse,
  'write' | 'end' | 'destroy' | 'writableLength' | 'once' | 'off'
>

/** A reader with more unsent data is disconnected and resumes. */
const MAX_UNSENT_BYTES = 1024 * 1024
/** A replay waits for the reader above this limit, so that a long replay does not count as a slow reader. */
const REPLAY_PAUSE_BYTES = 256 * 1024
const REPLAY_PATIENCE_MS = 20_000
const END_TIMEOUT_MS = 1_000

/** Writes frames to one response, batched, with bounded memory. */
export class StreamOutput implements Flushable {
  readonly #response: StreamResponse
  readonly #batcher: WriteBatcher
  readonly #onSlowReader: () => void
  readonly #onWritten = () => {
    this.#unwritten--
    this.#progressAt = Date.now()
  }
  #queue: Buffer[] = []
  #queuedBytes = 0
  /** Bytes that the kernel has not accepted yet. */
  #unwritten = 0
  #progressAt = Date.now()
  #ended = false

  /** @param onSlowReader called when the reader is too slow; the owner closes the stream */
  constructor(response: StreamResponse, batcher: WriteBatcher, onSlowReader: () => void) {
    this.#response = response
    this.#batcher = batcher
    this.#onSlowReader = onSlowReader
  }

  /** Queues the parts of one SSE block, which are written together or not at all. */
  push(...parts: readonly Buffer[]): void {
    if (this.#ended) return
    for (const part of parts) {
      this.#queue.push(part)
      this.#queuedBytes += part.length
    }
    if (this.#queuedBytes > MAX_UNSENT_BYTES) this.flush()
    else this.#batcher.add(this)
  }

  flush(): void {
    if (this.#ended || this.#queue.length === 0) return
    const bytes = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue, this.#queuedBytes)
    this.#queue = []
    this.#queuedBytes = 0
    if (this.#unwritten++ === 0) this.#progressAt = Date.now()
    this.#response.write(bytes, this.#onWritten)
    if (this.#response.writableLength > MAX_UNSENT_BYTES) this.#onSlowReader()
  }

  /** Returns for how many milliseconds the kernel has accepted no pending data; 0 when none is pending. */
  stalledMs(now: number): number {
    return this.#unwritten === 0 ? 0 : now - this.#progressAt
  }

  /** Resolves when most of the written data has been sent, or the stream has ended. */
  async drained(): Promise<void> {
    this.flush()
    const response = this.#response
    if (this.#ended || response.writableLength < REPLAY_PAUSE_BYTES) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#onSlowReader()
        done()
      }, REPLAY_PATIENCE_MS)
      response.once('drain', done)
      response.once('close', done)
    })
  }

  /** Ends the response after all queued data. */
  end(): void {
    if (this.#ended) return
    this.flush()
    this.discard()
    this.#response.end()
    // A reader that does not read would keep the socket open.
    setTimeout(() => this.#response.destroy(), END_TIMEOUT_MS).unref()
  }

  /** Destroys the connection; the client resumes after the last received frame. */
  destroy(): void {
    this.discard()
    this.#response.destroy()
  }

  /** Drops queued data, which no client will read. */
  discard(): void {
    this.#ended = true
    this.#queue = []
  }
}
