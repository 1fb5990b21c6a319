import { setTimeout as delay } from 'node:timers/promises'
import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { MessageRecord } from '../message.ts'
import { type ReadPosition, type ReadPositionRepository, readByWriting } from './read-positions.repository.ts'

export type Written = Pick<MessageRecord, 'roomId' | 'userId' | 'seq' | 'messageType'>

const REMEMBERED = 50_000
/**
 * Under load one write stores the positions of all sends in this time: in a busy room each sender's only once. Longer than the relay's
 * interval, whose write on the publishing process includes these positions.
 */
const PACE_MS = 700
/** A larger write could miss the deadline of the store under load. */
const MAX_A_WRITE = 200
/** The responses to the sends are written first, and the next requests read. */
const AFTER_RESPONSES_MS = 1

/**
 * Stores the read positions implied by sending. Senders do not wait: a write begins after their responses, and those that arrive within
 * 0.7 s share the next one. The relay repairs what failed or was lost with a process before it stores a message as published.
 */
export class SenderPositions {
  readonly #repository: Pick<ReadPositionRepository, 'advance'>
  readonly #onFailed: (err: unknown) => void
  /** By room and user: positions that this process has stored. */
  readonly #stored = new LRUCache<string, number>(upToEntries(REMEMBERED))
  #waiting: Written[] = []
  #isScheduled = false
  #writtenAt = Number.NEGATIVE_INFINITY
  #lastWrite: Promise<void> = Promise.resolve()

  constructor(repository: Pick<ReadPositionRepository, 'advance'>, onFailed: (err: unknown) => void) {
    this.#repository = repository
    this.#onFailed = onFailed
  }

  /** Stores the positions of these senders soon. */
  add(messages: readonly Written[]): void {
    this.#waiting.push(...messages)
    if (!this.#isScheduled) void this.#writeWaiting()
  }

  /** Resolves when everything added so far has been tried. */
  async settle(): Promise<void> {
    await this.#lastWrite.catch(() => undefined)
    await this.repair([]).catch(this.#onFailed)
  }

  /** Stores the positions of these and of all waiting senders, except those that this process has stored. */
  repair(messages: readonly Written[]): Promise<void> {
    const written = [...this.#waiting, ...messages]
    this.#waiting = []
    this.#writtenAt = performance.now()
    this.#lastWrite = this.#store(written)
    return this.#lastWrite
  }

  async #store(written: readonly Written[]): Promise<void> {
    const positions = readByWriting(written).filter((each) => (this.#stored.get(keyOf(each)) ?? 0) < each.seq)
    for (let start = 0; start < positions.length; start += MAX_A_WRITE) {
      const some = positions.slice(start, start + MAX_A_WRITE)
      await this.#repository.advance(some)
      for (const each of some) this.#stored.set(keyOf(each), each.seq)
    }
  }

  async #writeWaiting(): Promise<void> {
    this.#isScheduled = true
    await delay(AFTER_RESPONSES_MS)
    while (this.#waiting.length > 0) {
      const restMs = this.#writtenAt + PACE_MS - performance.now()
      if (restMs > 0) await delay(restMs, undefined, { ref: false })
      else await this.repair([]).catch(this.#onFailed)
    }
    this.#isScheduled = false
  }
}

function keyOf({ roomId, userId }: ReadPosition): string {
  return `${roomId}:${userId}`
}
