import { hiddenMessage, type Message } from '@bigtech/contracts'
import type { MessageRepository } from './message.repository.ts'
import { excerpt, type MessageRecord } from './message.ts'
import type { Projection } from './projection.ts'
import type { ReadSnapshot, ReadState } from './read-state.ts'

const iso = (ms: number) => new Date(ms).toISOString()

/** Messages as clients see them: with who has not read them, and with what they answer. */
export class MessageViews {
  readonly #repository: MessageRepository
  readonly #projection: Projection
  readonly #reads: ReadState

  constructor(repository: MessageRepository, projection: Projection, reads: ReadState) {
    this.#repository = repository
    this.#projection = projection
    this.#reads = reads
  }

  /** For one person, exact at this moment. The records may come from several rooms. */
  async forViewer(records: readonly MessageRecord[], viewerId: number): Promise<Message[]> {
    const ids = records.map(({ messageId }) => messageId)
    const [previewed, snapshots, hidden] = await Promise.all([
      this.#previewed(records),
      this.#snapshots(records, (roomId) => this.#reads.snapshot(roomId)),
      this.#repository.hiddenBy(viewerId, ids),
    ])
    return records.map((record) => {
      const shared = toMessage(record, snapshots.get(record.roomId)!, previewed)
      return hidden.has(record.messageId) ? hiddenMessage(shared) : personalView(shared, record, viewerId)
    })
  }

  /** As everybody sees them; what is different for one person is put in by `personalView`. */
  async shared(records: readonly MessageRecord[]): Promise<Message[]> {
    const [previewed, snapshots] = await Promise.all([
      this.#previewed(records),
      this.#snapshots(records, (roomId) => this.#reads.recent(roomId)),
    ])
    return records.map((record) => toMessage(record, snapshots.get(record.roomId)!, previewed))
  }

  #previewed(records: readonly MessageRecord[]): Promise<Map<string, MessageRecord>> {
    const ids = [...new Set(records.flatMap(({ replyTo }) => replyTo ?? []))]
    // With changes that are not written into it yet: a stream may have shown them already.
    return this.#projection.load(ids)
  }

  async #snapshots(
    records: readonly MessageRecord[],
    read: (roomId: number) => Promise<ReadSnapshot>,
  ): Promise<Map<number, ReadSnapshot>> {
    const roomIds = [...new Set(records.map(({ roomId }) => roomId))]
    return new Map(await Promise.all(roomIds.map(async (roomId) => [roomId, await read(roomId)] as const)))
  }
}

function toMessage(
  record: MessageRecord,
  reads: ReadSnapshot,
  previewed: ReadonlyMap<string, MessageRecord>,
): Message {
  const answered = record.replyTo === null ? undefined : previewed.get(record.replyTo)
  return {
    message_id: record.messageId,
    room_id: record.roomId,
    seq: record.seq,
    user_id: record.userId,
    username: record.username,
    content: record.content,
    message_type: record.messageType,
    created_at: iso(record.createdAt),
    edited_at: record.editedAt === null ? null : iso(record.editedAt),
    is_deleted: record.isDeleted,
    deleted_for: record.isDeleted ? 'all' : null,
    reply_to: record.replyTo,
    reply_preview: answered ? previewOf(answered) : null,
    is_forwarded: record.isForwarded,
    attachment: record.attachment,
    mentions: [...record.mentions],
    reactions: record.reactions.map(({ emoji, userIds }) => ({ emoji, count: userIds.length, me: false })),
    pinned_at: record.pinnedAt === null ? null : iso(record.pinnedAt),
    system: record.system,
    unread_count: reads.unread(record.seq, record.userId),
    client_message_id: record.clientMessageId,
    rev: record.rev,
    cseq: record.cseq,
  }
}

function previewOf(answered: MessageRecord): NonNullable<Message['reply_preview']> {
  return {
    message_id: answered.messageId,
    seq: answered.seq,
    user_id: answered.userId,
    username: answered.username,
    content: excerpt(answered.content),
    message_type: answered.messageType,
    is_deleted: answered.isDeleted,
  }
}

/** With one's own reactions marked. */
export function personalView(shared: Message, { reactions }: MessageRecord, viewerId: number): Message {
  if (!reactions.some(({ userIds }) => userIds.includes(viewerId))) return shared
  return {
    ...shared,
    reactions: reactions.map(({ emoji, userIds }) => ({
      emoji,
      count: userIds.length,
      me: userIds.includes(viewerId),
    })),
  }
}
