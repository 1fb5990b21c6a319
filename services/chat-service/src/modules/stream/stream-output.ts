import type { Socket } from 'node:net'
import type { Flushable, WriteBatcher } from './write-batcher.ts'

/** The part of a connection used by a stream. */
export type StreamConnection = Pick<
  Socket,
  'write' | 'destroy' | 'destroySoon' | 'writableLength' | 'once' | 'off'
>

/** The stream that an output belongs to. */
export interface OutputOwner {
  /** Called when data could not be sent immediately. */
  hasUnsent(): void
  /** Called when the reader is too slow: the owner closes the stream. */
  isTooSlow(): void
}

/** A reader with more unsent data is disconnected and resumes. */
const MAX_UNSENT_BYTES = 1024 * 1024
/** A replay waits for the reader above this limit, so that a long replay does not count as a slow reader. */
const REPLAY_PAUSE_BYTES = 256 * 1024
const REPLAY_PATIENCE_MS = 20_000
const END_TIMEOUT_MS = 1_000

/** Writes frames to one connection, batched, with bounded memory. */
export class StreamOutput implements Flushable {
  isQueued = false
  readonly #batcher: WriteBatcher
  #owner: OutputOwner | undefined
  #connection: StreamConnection | undefined
  /** Most often one block, which is shared with other streams: a list for each would be most of the garbage of a delivery. */
  #queue: Buffer | Buffer[] | undefined
  #queuedBytes = 0
  #writtenBytes = 0
  /** Bytes that the kernel had accepted at `#progressAt`. */
  #acceptedBytes = 0
  #progressAt = 0
  #ended = false

  constructor(batcher: WriteBatcher) {
    this.#batcher = batcher
  }

  /** Sets the connection, before the first frame. Sends the head of the response together with that frame. */
  attach(connection: StreamConnection, head: Buffer, owner: OutputOwner): void {
    this.#connection = connection
    this.#owner = owner
    this.#enqueue(head)
  }

  /** Queues an SSE block. */
  push(block: Buffer): void {
    if (this.#ended) return
    this.#enqueue(block)
    if (this.#queuedBytes > MAX_UNSENT_BYTES) this.flush()
    else this.#batcher.add(this)
  }

  #enqueue(block: Buffer): void {
    const queue = this.#queue
    if (queue === undefined) this.#queue = block
    else if (Array.isArray(queue)) queue.push(block)
    else this.#queue = [queue, block]
    this.#queuedBytes += block.length
  }

  flush(): void {
    const connection = this.#connection
    const queue = this.#queue
    if (this.#ended || !connection || queue === undefined) return
    const bytes = Array.isArray(queue) ? joined(queue, this.#queuedBytes) : queue
    this.#queue = undefined
    this.#queuedBytes = 0
    const hadNothingUnsent = connection.writableLength === 0
    this.#writtenBytes += bytes.length
    connection.write(bytes)
    const unsent = connection.writableLength
    if (unsent === 0) return
    if (hadNothingUnsent) this.#noteProgress(Date.now())
    this.#owner?.hasUnsent()
    if (unsent > MAX_UNSENT_BYTES) this.#owner?.isTooSlow()
  }

  /** Returns for how many milliseconds the kernel has accepted no pending data; 0 when none is pending. */
  stalledMs(now: number): number {
    const unsent = this.#connection?.writableLength ?? 0
    if (unsent === 0) return 0
    if (this.#writtenBytes - unsent > this.#acceptedBytes) this.#noteProgress(now)
    return now - this.#progressAt
  }

  /** Resolves when most of the written data has been sent, or the stream has ended. */
  async drained(): Promise<void> {
    this.flush()
    const connection = this.#connection
    if (this.#ended || !connection || connection.writableLength < REPLAY_PAUSE_BYTES) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        connection.off('drain', done)
        connection.off('close', done)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#owner?.isTooSlow()
        done()
      }, REPLAY_PATIENCE_MS)
      connection.once('drain', done)
      connection.once('close', done)
    })
  }

  /** Ends the connection after all queued data. */
  end(): void {
    if (this.#ended) return
    this.flush()
    this.discard()
    const connection = this.#connection
    connection?.destroySoon()
    // A reader that does not read would keep the socket open.
    setTimeout(() => connection?.destroy(), END_TIMEOUT_MS).unref()
  }

  /** Destroys the connection; the client resumes after the last received frame. */
  destroy(): void {
    this.discard()
    this.#connection?.destroy()
  }

  /** Drops queued data, which no client will read. */
  discard(): void {
    this.#ended = true
    this.#queue = undefined
  }

  #noteProgress(now: number): void {
    this.#acceptedBytes = this.#writtenBytes - this.#connection!.writableLength
    this.#progressAt = now
  }
}

/** Streams of a room that gets several messages at once have equal blocks, one stream after the other. */
let lastJoined: { readonly parts: readonly Buffer[]; readonly bytes: Buffer } | undefined

function joined(parts: readonly Buffer[], length: number): Buffer {
  const known = lastJoined?.parts
  if (known?.length === parts.length && known.every((part, index) => part === parts[index]))
    return lastJoined!.bytes
  const bytes = Buffer.concat(parts, length)
  lastJoined = { parts, bytes }
  return bytes
}
