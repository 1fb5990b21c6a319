import { uuidv7 } from '@bigtech/contracts'
import { activeTrace } from '@bigtech/kafka'
import { Problem } from '@bigtech/service-kit'
import type { ChangeDocument } from '../log/documents.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import type { LogHead } from '../log/room-log.repository.ts'
import { type QueuedWrite, RoomWriteQueue, shortPause } from '../log/room-write-queue.ts'
import { type MessageRecord, positionId, type Version, versionOf } from '../message.ts'
import type { AppliedChange } from '../room-updates.ts'
import { type Change, decide, fold, type Intent } from './change.ts'
import type { Projection } from './projection.repository.ts'

interface Wish {
  readonly intent: Intent
  readonly correlationId: string
}

type Entry = QueuedWrite<Wish, MessageRecord>

interface Planned {
  readonly entry: Entry
  /** Undefined when the change is already in place, or refused. */
  readonly document?: ChangeDocument
  readonly before?: MessageRecord
  readonly after?: MessageRecord
  readonly refusal?: unknown
}

export interface ChangeWriterOptions {
  readonly repository: MessageRepository
  readonly projection: Projection
  readonly pinsIn: (roomId: number) => Promise<number>
  /** Called once for changes that are stored in the log and in their messages, in order. */
  readonly onStored: (roomId: number, changes: readonly AppliedChange[]) => void
}

/**
 * Writes changes of messages, in sequence per room across all processes: a change is decided on the current
 * state of the message, and stored only if no other change was stored in between.
 */
export class ChangeWriter {
  readonly #options: ChangeWriterOptions
  readonly #queue = new RoomWriteQueue<Wish, MessageRecord>({
    write: (roomId, batch) => this.#write(roomId, batch),
    maxBatch: 50,
    maxWaitingInRoom: 300,
  })

  constructor(options: ChangeWriterOptions) {
    this.#options = options
  }

  /**
   * Resolves to the changed message when change and message are durable.
   *
   * @throws Problem when the change is not allowed; StoreUnavailable when it may or may not be stored
   */
  async apply(roomId: number, intent: Intent, correlationId: string): Promise<MessageRecord> {
    await this.#options.repository.prepare()
    return this.#queue.add(roomId, { intent, correlationId })
  }

  /** Returns the entries that must be decided again. */
  async #write(roomId: number, entries: readonly Entry[]): Promise<readonly Entry[]> {
    const { repository, projection } = this.#options
    const head = await repository.changes.headToAppendTo(roomId)
    const messages = await projection.load([...new Set(entries.map(({ item }) => item.intent.messageId))])
    if ([...messages.values()].some(({ cseq }) => cseq > head.position)) {
      // Another process has written since the head was cached, so the next position is taken.
      repository.changes.forgetHead(roomId)
      return entries
    }
    const plan = await this.#plan(roomId, head, messages, entries)
    const documents = plan.flatMap(({ document }) => document ?? [])
    const { stored, next } =
      documents.length === 0
        ? ({ stored: 0, next: 'done' } as const)
        : await repository.changes.insert(roomId, documents)
    // Later decisions assumed a change that was never stored.
    const lost = documents[stored]
    const valid = lost
      ? plan.slice(
          0,
          plan.findIndex(({ document }) => document === lost),
        )
      : plan
    await this.#finish(roomId, valid)
    // A taken position is retried immediately: backing off keeps losing the race to a busy writer.
    if (next === 'again') await shortPause()
    return plan.slice(valid.length).map(({ entry }) => entry)
  }

  /** @param messages current state, replaced by the planned state */
  async #plan(
    roomId: number,
    head: LogHead,
    messages: Map<string, MessageRecord>,
    entries: readonly Entry[],
  ): Promise<Planned[]> {
    const now = Math.max(Date.now(), head.at)
    let pins = entries.some(({ item }) => item.intent.body.kind === 'pinned')
      ? await this.#options.pinsIn(roomId)
      : 0
    let { position } = head
    return entries.map((entry): Planned => {
      const { intent, correlationId } = entry.item
      const before = messages.get(intent.messageId)
      try {
        if (!before) throw new Problem('MESSAGE_NOT_FOUND')
        if (!decide(before, intent, now, () => pins)) return { entry, after: before }
        const { messageId, userId, body } = intent
        const change: Change = { roomId, cseq: ++position, messageId, userId, at: now, body }
        const after = fold(before, change)
        messages.set(messageId, after)
        if (body.kind === 'pinned') pins++
        return { entry, before, after, document: documentOf(change, after, correlationId) }
      } catch (refusal) {
        return { entry, refusal }
      }
    })
  }

  async #finish(roomId: number, plan: readonly Planned[]): Promise<void> {
    const first = new Map<string, MessageRecord>()
    const last = new Map<string, MessageRecord>()
    const replaced = new Map<string, Version[]>()
    for (const { document, before, after } of plan) {
      if (!document || !before || !after) continue
      const { messageId } = before
      if (!first.has(messageId)) first.set(messageId, before)
      last.set(messageId, after)
      if (document.kind === 'edited')
        replaced.set(messageId, [...(replaced.get(messageId) ?? []), versionOf(before)])
    }
    // The changes are stored from here on; if this fails, the relay writes them into their messages.
    await Promise.all(
      [...last].map(([messageId, after]) =>
        this.#options.projection.save(first.get(messageId)!, after, replaced.get(messageId) ?? []),
      ),
    )
    const changes = plan.flatMap(({ document, after }) =>
      document && after
        ? [
            {
              cseq: document.cseq,
              at: document.created_at.getTime(),
              kind: document.kind,
              message: last.get(after.messageId) ?? after,
            },
          ]
        : [],
    )
    if (changes.length > 0) this.#options.onStored(roomId, changes)
    for (const { entry, refusal, after } of plan) {
      if (after) entry.resolve(last.get(after.messageId) ?? after)
      else entry.reject(refusal)
    }
  }
}

function documentOf(change: Change, after: MessageRecord, correlationId: string): ChangeDocument {
  const { roomId, cseq, body, at } = change
  const trace = activeTrace()
  return {
    _id: positionId(roomId, cseq),
    room_id: roomId,
    created_at: new Date(at),
    event_id: uuidv7(),
    correlation_id: correlationId,
    ...(trace === undefined ? {} : { trace }),
    message_id: change.messageId,
    cseq,
    user_id: change.userId,
    kind: body.kind,
    // The event always carries the mentions, even if the edit leaves them unchanged.
    ...(body.kind === 'edited' ? { content: body.content, rev: after.rev, mentions: after.mentions } : {}),
    ...('emoji' in body ? { emoji: body.emoji } : {}),
  }
}
