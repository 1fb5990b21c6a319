import { setTimeout as delay } from 'node:timers/promises'
import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { MessageRecord } from '../message.ts'
import { type ReadPosition, type ReadPositionRepository, readByWriting } from './read-positions.repository.ts'

type Written = Pick<MessageRecord, 'roomId' | 'userId' | 'seq' | 'messageType'>

const REMEMBERED = 50_000
/** Under load one write stores the positions of all sends in this time. */
const PACE_MS = 100
/** The responses to the sends are written first, and the next requests read. */
const AFTER_RESPONSES_MS = 1

/**
 * Stores the read positions implied by sending. Senders do not wait: a write begins after their responses, and those that arrive during it
 * or within 100 ms share the next one. The relay repairs what failed or was lost with a process before it publishes a message.
 */
export class SenderPositions {
  readonly #repository: Pick<ReadPositionRepository, 'advance'>
  readonly #onFailed: (err: unknown) => void
  /** By room and user: positions that this process has stored. */
  readonly #stored = new LRUCache<string, number>(upToEntries(REMEMBERED))
  #waiting: { readonly messages: readonly Written[]; readonly done: () => void }[] = []
  #writing: Promise<void> | undefined

  constructor(repository: Pick<ReadPositionRepository, 'advance'>, onFailed: (err: unknown) => void) {
    this.#repository = repository
    this.#onFailed = onFailed
  }

  /** Stores the positions of these senders soon. Calls `done` afterwards, also after a failure. */
  add(messages: readonly Written[], done: () => void): void {
    this.#waiting.push({ messages, done })
    this.#writing ??= this.#write()
  }

  /** Resolves when everything added so far has been tried. */
  async settle(): Promise<void> {
    await this.#writing
  }

  /** Stores the positions of these senders unless this process has done so. */
  async repair(messages: readonly Written[]): Promise<void> {
    await this.#advance(
      readByWriting(messages).filter((each) => (this.#stored.get(keyOf(each)) ?? 0) < each.seq),
    )
  }

  async #write(): Promise<void> {
    await delay(AFTER_RESPONSES_MS)
    while (this.#waiting.length > 0) {
      const pause = delay(PACE_MS)
      const batch = this.#waiting
      this.#waiting = []
      await this.#advance(readByWriting(batch.flatMap(({ messages }) => messages))).catch(this.#onFailed)
      for (const { done } of batch) done()
      await pause
    }
    this.#writing = undefined
  }

  async #advance(positions: readonly ReadPosition[]): Promise<void> {
    await this.#repository.advance(positions)
    for (const each of positions) this.#stored.set(keyOf(each), each.seq)
  }
}

function keyOf({ roomId, userId }: ReadPosition): string {
  return `${roomId}:${userId}`
}
