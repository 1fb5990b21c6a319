import type { ServerResponse } from 'node:http'
import type { StreamFrameData, StreamFrameName } from '@bigtech/contracts'
import type { UnixMs } from '../messages/message.ts'
import { encodeCursor, type RoomProgress } from './cursor.ts'
import type { Flusher } from './flusher.ts'
import { frame } from './frames.ts'

export type CutReason = 'slow_reader' | 'session_revoked' | 'shutdown' | 'failed'

export interface ConnectionOptions {
  readonly id: string
  readonly userId: number
  readonly sessionId: string
  readonly response: Pick<
    ServerResponse,
    'write' | 'end' | 'destroy' | 'writableLength' | 'once' | 'off' | 'destroyed'
  >
  readonly flusher: Flusher
  readonly onFrames: (count: number) => void
  readonly onCut: (reason: CutReason) => void
}

/** What waits for a reader who does not read; beyond it the stream is cut and the reader resumes. */
const MAX_UNSENT_BYTES = 1024 * 1024
const LAST_WORDS_MS = 1_000
const REPLAY_PAUSE_BYTES = 256 * 1024
const REPLAY_PATIENCE_MS = 20_000

interface IdKey {
  readonly since: UnixMs
  readonly roomId: number
  readonly seq: number
  readonly cseq: number
}

/**
 * Most streams of a busy room had nothing from elsewhere for a while: one after the other they need
 * the same line.
 */
let lastIdLine: { readonly key: IdKey; readonly line: Buffer } | undefined

const sameKey = (a: IdKey, b: IdKey) =>
  a.seq === b.seq && a.cseq === b.cseq && a.roomId === b.roomId && a.since === b.since

/** One open stream: gathers frames, writes them together, and knows what its client has had. */
export class StreamConnection {
  readonly id: string
  readonly userId: number
  readonly sessionId: string
  readonly openedAt = Date.now()
  readonly #options: ConnectionOptions
  /** Rooms that delivered something since `since`, or are just being caught up with. */
  readonly #progress = new Map<number, RoomProgress>()
  /** Rooms whose entries are brought to this stream, each by one bringer at a time. */
  readonly #claims = new Map<number, symbol>()
  #since: UnixMs = 0
  #begun = false
  #queue: Buffer[] = []
  #queuedBytes = 0
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.id = options.id
    this.userId = options.userId
    this.sessionId = options.sessionId
  }

  get closed(): boolean {
    return this.#closed
  }

  get since(): UnixMs {
    return this.#since
  }

  /** Rooms of which the client should know the head. */
  get heads(): StreamFrameData<'heartbeat'>['heads'] {
    return [...this.#progress].map(([room_id, { seq, cseq }]) => ({ room_id, seq, cseq }))
  }

  /** Everything sent before waits for this: the first frame must be the first. */
  begin(since: UnixMs): void {
    this.#since = since
    this.#begun = true
  }

  get begun(): boolean {
    return this.#begun
  }

  /** The right to bring this room's entries; undefined when somebody has it. */
  claim(roomId: number): symbol | undefined {
    if (this.#claims.has(roomId)) return undefined
    const claim = Symbol()
    this.#claims.set(roomId, claim)
    return claim
  }

  /** Whether the right still holds: it ends when the user leaves the room, and when the stream ends. */
  holds(roomId: number, claim: symbol): boolean {
    return !this.#closed && this.#claims.get(roomId) === claim
  }

  /** Notes where the stream is in a room, so that the cursor says it. */
  setProgress(roomId: number, progress: RoomProgress): void {
    this.#progress.set(roomId, progress)
  }

  forgetRoom(roomId: number): void {
    this.#claims.delete(roomId)
    this.#progress.delete(roomId)
  }

  /** Everything made before was delivered: rooms that were quiet since need not be listed any more. */
  advance(since: UnixMs): void {
    if (since <= this.#since) return
    this.#since = since
    for (const [roomId, { at }] of this.#progress) if (at < since) this.#progress.delete(roomId)
  }

  /** An entry of a room's logs: the frame and the cursor that includes it go out as one SSE block. */
  deliver(roomId: number, progress: RoomProgress, block: Buffer | null): void {
    const mine = this.#progress.get(roomId)
    if (mine) {
      mine.seq = progress.seq
      mine.cseq = progress.cseq
      if (mine.at < progress.at) mine.at = progress.at
    } else this.#progress.set(roomId, { ...progress })
    if (block) this.#enqueue(this.#idLine(), block)
  }

  /** A frame that is not part of a log: it has no place to come back to. */
  send(block: Buffer): void {
    this.#enqueue(block)
  }

  sendFrame<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): void {
    this.#enqueue(frame(event, data))
  }

  /** A frame after which a client that comes back goes on from here. */
  sendWithCursor<Name extends StreamFrameName>(event: Name, data: StreamFrameData<Name>): void {
    this.#enqueue(this.#idLine(), frame(event, data))
  }

  flush(): void {
    if (this.#closed || this.#queue.length === 0) return
    const { response } = this.#options
    const output = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue, this.#queuedBytes)
    this.#queue = []
    this.#queuedBytes = 0
    response.write(output)
    if (response.writableLength > MAX_UNSENT_BYTES) this.cut('slow_reader')
  }

  /** Waits until a reader who catches up has taken most of what was written. Rejects when it does not. */
  async drained(): Promise<void> {
    this.flush()
    const { response } = this.#options
    if (this.#closed || response.writableLength < REPLAY_PAUSE_BYTES) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      const timer = setTimeout(() => {
        this.cut('slow_reader')
        done()
      }, REPLAY_PATIENCE_MS)
      response.once('drain', done)
      response.once('close', done)
    })
  }

  /** The client went away. */
  markClosed(): void {
    this.#closed = true
    this.#queue = []
  }

  /** Ends it from this side at once; what was not sent is lost to the stream, not to its resumption. */
  cut(reason: CutReason): void {
    if (this.#closed) return
    this.markClosed()
    this.#options.onCut(reason)
    this.#options.response.destroy()
  }

  /** Ends it after what was gathered has been written. */
  finish(reason: CutReason): void {
    if (this.#closed) return
    this.flush()
    if (this.#closed) return
    this.markClosed()
    const { onCut, response } = this.#options
    onCut(reason)
    response.end()
    // Who does not read does not hear of the end either.
    setTimeout(() => response.destroy(), LAST_WORDS_MS).unref()
  }

  #idLine(): Buffer {
    const [only] = this.#progress
    if (this.#progress.size !== 1 || !only) return this.#makeIdLine()
    const [roomId, { seq, cseq }] = only
    const key = { since: this.#since, roomId, seq, cseq }
    if (lastIdLine && sameKey(lastIdLine.key, key)) return lastIdLine.line
    const line = this.#makeIdLine()
    lastIdLine = { key, line }
    return line
  }

  #makeIdLine(): Buffer {
    return Buffer.from(`id: ${encodeCursor(this.#since, this.#progress)}\n`, 'latin1')
  }

  #enqueue(...parts: Buffer[]): void {
    if (this.#closed) return
    for (const part of parts) {
      this.#queue.push(part)
      this.#queuedBytes += part.length
    }
    this.#options.onFrames(1)
    if (this.#queuedBytes > MAX_UNSENT_BYTES) {
      this.flush()
      return
    }
    this.#options.flusher.add(this)
  }
}
