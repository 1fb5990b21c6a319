import { AsyncLocalStorage } from 'node:async_hooks'
import { Problem, StoreUnavailable } from '@bigtech/service-kit'
import type { MessageRecord, UnixMs } from '../message.ts'
import type { MessageDocument } from './documents.ts'
import { toRecord } from './documents.ts'
import type { RoomLog } from './room-log.ts'

/** A message that has everything but its place in the history. */
export interface Draft {
  readonly roomId: number
  readonly userId: number
  readonly clientMessageId: string | null
  readonly bodyHash: string
  readonly bytes: number
  /** Makes the document, with its event in it, for a place. Called again when the place was taken. */
  at(position: number, createdAt: UnixMs): MessageDocument
}

export interface Appended {
  readonly message: MessageRecord
  /** It was in the history already, sent with the same client_message_id. */
  readonly repeated: boolean
}

interface Entry {
  readonly draft: Draft
  readonly key: string | null
  /** A write belongs, in logs and traces, to the request that waited longest for it. */
  readonly inContext: <Result>(work: () => Result) => Result
  abandoned: boolean
  attempts: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
}

interface RoomQueue {
  readonly waiting: Entry[]
  /** The entry that carries a client_message_id; later ones with the same id wait for its outcome. */
  readonly leaders: Map<string, Promise<Appended>>
  running: boolean
}

export interface AppenderOptions {
  readonly log: RoomLog<MessageDocument>
  readonly findByClientId: (
    roomId: number,
    userId: number,
    clientId: string,
  ) => Promise<MessageDocument | null>
  /**
   * Called once for everything that became part of the history, in order. The senders hear of it when this
   * resolves, at the latest by their deadline; the next write does not wait.
   */
  readonly onStored: (roomId: number, messages: readonly MessageRecord[]) => Promise<void>
  readonly maxWaitingInRoom?: number
  readonly maxWaiting?: number
}

const BATCH_ENTRIES = 100
const BATCH_BYTES = 1024 * 1024
const DEADLINE_MS = 1_700
const MAX_ATTEMPTS = 30

/**
 * Puts messages into the history of their room. While one insert of a room is under way the next
 * messages gather, and go together in the next one: one durable write for all of them.
 */
export class MessageAppender {
  readonly #options: AppenderOptions
  readonly #queues = new Map<number, RoomQueue>()
  #waiting = 0

  constructor(options: AppenderOptions) {
    this.#options = options
  }

  /**
   * Resolves when the message is durable.
   *
   * @throws Problem OVERLOADED, MESSAGE_ID_REUSED; StoreUnavailable when it may or may not be stored.
   */
  async append(draft: Draft): Promise<Appended> {
    const queue = this.#queueOf(draft.roomId)
    const key = keyOf(draft)
    const leader = key === null ? undefined : queue.leaders.get(key)
    if (leader) return this.#follow(leader, draft)
    this.#refuseWhenFull(queue)
    const appended = this.#enqueue(queue, draft, key)
    if (key !== null) {
      queue.leaders.set(key, appended)
      const forget = () => {
        queue.leaders.delete(key)
        this.#forgetWhenIdle(draft.roomId, queue)
      }
      appended.then(forget, forget)
    }
    return appended
  }

  /**
   * What was stored for this draft by an earlier send, if anything was.
   *
   * @throws Problem MESSAGE_ID_REUSED when another body has its client_message_id.
   */
  async repeated(draft: Draft): Promise<Appended | undefined> {
    if (draft.clientMessageId === null) return undefined
    const leader = this.#queues.get(draft.roomId)?.leaders.get(keyOf(draft)!)
    if (leader) await leader.catch(() => undefined)
    return this.#storedAs(draft)
  }

  /** Within this process a repeat waits for the first one instead of racing it to the store. */
  async #follow(leader: Promise<Appended>, draft: Draft): Promise<Appended> {
    // Its failure may be its own: what counts is what is stored in the end.
    const outcome = await leader.catch((failure: unknown) => ({ failure }))
    const stored = await this.#storedAs(draft)
    if (stored) return stored
    if ('failure' in outcome) throw outcome.failure
    return outcome
  }

  async #storedAs(draft: Draft): Promise<Appended | undefined> {
    const { roomId, userId, clientMessageId } = draft
    const stored = await this.#options.findByClientId(roomId, userId, clientMessageId ?? '')
    if (stored && stored.body_hash !== draft.bodyHash) throw new Problem('MESSAGE_ID_REUSED')
    return stored ? { message: toRecord(stored), repeated: true } : undefined
  }

  #queueOf(roomId: number): RoomQueue {
    let queue = this.#queues.get(roomId)
    if (!queue) {
      queue = { waiting: [], leaders: new Map(), running: false }
      this.#queues.set(roomId, queue)
    }
    return queue
  }

  #refuseWhenFull(queue: RoomQueue): void {
    const { maxWaitingInRoom = 500, maxWaiting = 5_000 } = this.#options
    if (queue.waiting.length < maxWaitingInRoom && this.#waiting < maxWaiting) return
    throw new Problem('OVERLOADED', { retryAfterSeconds: 1 })
  }

  #enqueue(queue: RoomQueue, draft: Draft, key: string | null): Promise<Appended> {
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        draft,
        key,
        inContext: AsyncLocalStorage.snapshot(),
        abandoned: false,
        attempts: 0,
        resolve: (appended) => settle(() => resolve(appended)),
        reject: (error) => settle(() => reject(error)),
      }
      const timer = setTimeout(() => {
        entry.abandoned = true
        reject(new StoreUnavailable('mongodb', new Error('not stored in time')))
      }, DEADLINE_MS)
      const settle = (done: () => void) => {
        clearTimeout(timer)
        done()
      }
      queue.waiting.push(entry)
      this.#waiting++
      if (!queue.running) void this.#drain(draft.roomId, queue)
    })
  }

  async #drain(roomId: number, queue: RoomQueue): Promise<void> {
    queue.running = true
    // What arrives in the same turn of the event loop belongs to the same write.
    await new Promise((resolve) => setImmediate(resolve))
    while (queue.waiting.length > 0) {
      const batch = this.#nextBatch(queue)
      const [first] = batch
      if (first) await first.inContext(() => this.#write(roomId, batch))
    }
    queue.running = false
    this.#forgetWhenIdle(roomId, queue)
  }

  #forgetWhenIdle(roomId: number, queue: RoomQueue): void {
    if (!queue.running && queue.waiting.length === 0 && queue.leaders.size === 0) this.#queues.delete(roomId)
  }

  #nextBatch(queue: RoomQueue): Entry[] {
    const batch: Entry[] = []
    let bytes = 0
    while (queue.waiting.length > 0 && batch.length < BATCH_ENTRIES && bytes < BATCH_BYTES) {
      const entry = queue.waiting.shift()!
      this.#waiting--
      if (entry.abandoned) continue
      batch.push(entry)
      bytes += entry.draft.bytes
    }
    return batch
  }

  async #write(roomId: number, batch: readonly Entry[]): Promise<void> {
    let rest = batch
    try {
      while (rest.length > 0) rest = await this.#writeOnce(roomId, rest)
    } catch (err) {
      for (const entry of rest) entry.reject(err)
    }
  }

  /** Returns the entries that have not found their place yet. */
  async #writeOnce(roomId: number, entries: readonly Entry[]): Promise<readonly Entry[]> {
    const { log } = this.#options
    const head = await log.headToAppendTo(roomId)
    const now = Math.max(Date.now(), head.at)
    const documents = entries.map(({ draft }, index) => draft.at(head.position + 1 + index, now))
    const { stored, next } = await log.insert(roomId, documents)
    if (stored > 0) void this.#acknowledge(roomId, entries.slice(0, stored), documents.slice(0, stored))
    const rest = entries.slice(stored)
    const first = rest[0]
    if (!first) return rest
    if (next === 'duplicate' && (await this.#settleRepeat(first))) return rest.slice(1)
    // Another process took the position. Retry immediately: backing off keeps losing the race to a busy writer.
    // The deadline ends this.
    if (next !== 'taken') {
      // Only progress resets the patience: a room in which many write is no reason to give up.
      first.attempts = stored > 0 ? 1 : first.attempts + 1
      if (first.attempts > MAX_ATTEMPTS) throw new Problem('OVERLOADED', { retryAfterSeconds: 1 })
      await jitter(first.attempts)
    }
    return rest.filter(({ abandoned }) => !abandoned)
  }

  async #acknowledge(
    roomId: number,
    entries: readonly Entry[],
    documents: readonly MessageDocument[],
  ): Promise<void> {
    const messages = documents.map(toRecord)
    await this.#options.onStored(roomId, messages)
    for (const [index, entry] of entries.entries())
      entry.resolve({ message: messages[index]!, repeated: false })
  }

  /** False when the message that has this id cannot be seen yet: another process is just storing it. */
  async #settleRepeat(entry: Entry): Promise<boolean> {
    try {
      const stored = await this.#storedAs(entry.draft)
      if (stored) entry.resolve(stored)
      return stored !== undefined
    } catch (err) {
      if (!(err instanceof Problem)) throw err
      entry.reject(err)
      return true
    }
  }
}

function keyOf({ userId, clientMessageId }: Draft): string | null {
  return clientMessageId === null ? null : `${userId}:${clientMessageId}`
}

function jitter(attempt: number): Promise<void> {
  const ms = Math.random() * Math.min(2 ** attempt, 50)
  return new Promise((resolve) => setTimeout(resolve, ms))
}
