import { Problem } from '@bigtech/service-kit'
import type { MessageRecord, UnixMs } from '../message.ts'
import type { MessageDocument } from './documents.ts'
import { toRecord } from './documents.ts'
import type { RoomLog } from './room-log.repository.ts'
import { type QueuedWrite, RoomWriteQueue, shortPause } from './room-write-queue.ts'

/** A message without its position in the history. */
export interface Draft {
  readonly roomId: number
  readonly userId: number
  readonly clientMessageId: string | null
  readonly bodyHash: string
  readonly bytes: number
  /** Creates the document for a position. Called again when the position was taken. */
  at(position: number, createdAt: UnixMs): MessageDocument
}

export interface Appended {
  readonly message: MessageRecord
  /** True for a retry: stored before with the same client_message_id. */
  readonly repeated: boolean
}

type Entry = QueuedWrite<Draft, Appended>

export interface AppenderOptions {
  readonly log: RoomLog<MessageDocument>
  readonly findByClientId: (
    roomId: number,
    userId: number,
    clientId: string,
  ) => Promise<MessageDocument | null>
  /** Called once for every stored message, in order, before the senders get their response. Never throws. */
  readonly onStored: (
    roomId: number,
    messages: readonly MessageRecord[],
    documents: readonly MessageDocument[],
  ) => void
}

/** Appends messages to the history of their room. */
export class MessageAppender {
  readonly #options: AppenderOptions
  readonly #queue = new RoomWriteQueue<Draft, Appended>({
    write: (roomId, batch) => this.#write(roomId, batch),
    sizeOf: ({ bytes }) => bytes,
    maxBatch: 100,
    maxWaitingInRoom: 500,
  })
  /** In-flight sends with a client_message_id; later ones with the same id wait for their outcome. */
  readonly #leaders = new Map<string, Promise<Appended>>()

  constructor(options: AppenderOptions) {
    this.#options = options
  }

  /**
   * Resolves when the message is durable.
   *
   * @throws Problem OVERLOADED, MESSAGE_ID_REUSED; StoreUnavailable when it may or may not be stored
   */
  async append(draft: Draft): Promise<Appended> {
    const key = keyOf(draft)
    if (key === null) return this.#queue.add(draft.roomId, draft)
    const leader = this.#leaders.get(key)
    if (leader) return this.#follow(leader, draft)
    const appended = this.#queue.add(draft.roomId, draft)
    this.#leaders.set(key, appended)
    const forget = () => void this.#leaders.delete(key)
    appended.then(forget, forget)
    return appended
  }

  /**
   * Returns the message stored by an earlier send of this draft, if any.
   *
   * @throws Problem MESSAGE_ID_REUSED when its client_message_id was used with another body
   */
  async repeated(draft: Draft): Promise<Appended | undefined> {
    const key = keyOf(draft)
    if (key === null) return undefined
    await this.#leaders.get(key)?.catch(() => undefined)
    return this.#storedAs(draft)
  }

  /** Within this process a retry waits for the first send instead of racing it to the store. */
  async #follow(leader: Promise<Appended>, draft: Draft): Promise<Appended> {
    // The leader's failure may concern only itself: the stored state decides.
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

  /** Returns the entries that have no position yet. */
  async #write(roomId: number, entries: readonly Entry[]): Promise<readonly Entry[]> {
    const { log } = this.#options
    const head = await log.headToAppendTo(roomId)
    const now = Math.max(Date.now(), head.at)
    const documents = entries.map(({ item }, index) => item.at(head.position + 1 + index, now))
    const { stored, next } = await log.insert(roomId, documents)
    if (stored > 0) this.#acknowledge(roomId, entries.slice(0, stored), documents.slice(0, stored))
    const rest = entries.slice(stored)
    const first = rest[0]
    if (next === 'duplicate' && first && (await this.#resolveRepeat(first))) return rest.slice(1)
    // A taken position is retried immediately: backing off keeps losing the race to a busy writer.
    if (first && next !== 'taken') await shortPause()
    return rest
  }

  #acknowledge(roomId: number, entries: readonly Entry[], documents: readonly MessageDocument[]): void {
    const messages = documents.map(toRecord)
    this.#options.onStored(roomId, messages, documents)
    for (const [index, entry] of entries.entries())
      entry.resolve({ message: messages[index]!, repeated: false })
  }

  /** Resolves a repeated send with the stored message. Returns false while another process is still storing it. */
  async #resolveRepeat(entry: Entry): Promise<boolean> {
    try {
      const stored = await this.#storedAs(entry.item)
      if (stored) entry.resolve(stored)
      return stored !== undefined
    } catch (err) {
      if (!(err instanceof Problem)) throw err
      entry.reject(err)
      return true
    }
  }
}

function keyOf({ roomId, userId, clientMessageId }: Draft): string | null {
  return clientMessageId === null ? null : `${roomId}:${userId}:${clientMessageId}`
}
