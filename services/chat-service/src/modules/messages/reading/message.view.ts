import { hiddenMessage, type Message } from '@bigtech/contracts'
import { unknownContact } from '../../contacts/contacts.ts'
import type { MembershipReader } from '../../membership/membership.ports.ts'
import type { Projection } from '../changes/projection.repository.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import { excerpt, type MessageRecord } from '../message.ts'
import type { ReadSnapshot } from './read-snapshot.ts'
import type { ReadState } from './read-state.ts'

const iso = (ms: number) => new Date(ms).toISOString()

/** Replaces the name of a deleted account everywhere, including messages. */
const DELETED_NAME = unknownContact(0).username
const NONE: ReadonlyMap<string, MessageRecord> = new Map()

/** The visibility rules of one member of a room. */
export interface Viewer {
  readonly userId: number
  /** Whether the member's history includes this message. */
  sees(seq: number): boolean
  /** Whether the member deleted this message for themselves. */
  hides(messageId: string): boolean
}

/** Builds messages for clients: with unread counts and reply previews. */
export class MessageViews {
  readonly #repository: MessageRepository
  readonly #projection: Projection
  readonly #reads: ReadState
  readonly #members: Pick<MembershipReader, 'find'>

  constructor(
    repository: MessageRepository,
    projection: Projection,
    reads: ReadState,
    members: Pick<MembershipReader, 'find'>,
  ) {
    this.#repository = repository
    this.#projection = projection
    this.#reads = reads
    this.#members = members
  }

  /**
   * Returns messages for one user, exact at this moment. The records may belong to several rooms.
   *
   * @param known context already read by the caller; `reads` only for records of one room
   */
  async forViewer(
    records: readonly MessageRecord[],
    viewerId: number,
    known?: { readonly reads?: ReadSnapshot; readonly hidden: ReadonlySet<string> },
  ): Promise<Message[]> {
    const asked = known ? repliedBeside(records) : withReplied(records)
    const [previewed, snapshots, askedHidden, visibleFrom] = await Promise.all([
      this.#previewed(records),
      this.#ofRooms(records, async (roomId) => known?.reads ?? this.#reads.snapshot(roomId)),
      this.#repository.hiddenBy(viewerId, asked),
      this.#ofRooms(records, async (roomId) => (await this.#members.find(roomId, viewerId))?.visibleFromSeq),
    ])
    return records.map((record) => {
      const floor = visibleFrom.get(record.roomId) ?? Number.POSITIVE_INFINITY
      return personalView(toMessage(record, snapshots.get(record.roomId)!, previewed), record, {
        userId: viewerId,
        sees: (seq) => seq >= floor,
        hides: (messageId) => askedHidden.has(messageId) || known?.hidden.has(messageId) === true,
      })
    })
  }

  /** Returns messages as every member sees them; `personalView` adds the personal parts. */
  async shared(records: readonly MessageRecord[]): Promise<Message[]> {
    const [previewed, snapshots] = await Promise.all([
      this.#previewed(records),
      this.#ofRooms(records, (roomId) => this.#reads.recent(roomId)),
    ])
    return records.map((record) => toMessage(record, snapshots.get(record.roomId)!, previewed))
  }

  async #previewed(records: readonly MessageRecord[]): Promise<ReadonlyMap<string, MessageRecord>> {
    if (records.every(({ replyTo }) => replyTo === null)) return NONE
    const ids = [...new Set(records.flatMap(({ replyTo }) => replyTo ?? []))]
    // Includes changes not yet written into the message, because a stream may have shown them.
    return this.#projection.load(ids)
  }

  async #ofRooms<Value>(
    records: readonly MessageRecord[],
    read: (roomId: number) => Promise<Value>,
  ): Promise<Map<number, Value>> {
    const [first] = records
    // The usual case, on the path of each send: the general one costs 20 µs.
    if (first && records.every(({ roomId }) => roomId === first.roomId))
      return new Map([[first.roomId, await read(first.roomId)]])
    const roomIds = [...new Set(records.map(({ roomId }) => roomId))]
    return new Map(await Promise.all(roomIds.map(async (roomId) => [roomId, await read(roomId)] as const)))
  }
}

/** Returns the ids of these messages and of the messages they reply to. */
function withReplied(records: readonly MessageRecord[]): string[] {
  return [
    ...new Set(records.flatMap(({ messageId, replyTo }) => (replyTo ? [messageId, replyTo] : [messageId]))),
  ]
}

/** Returns the ids of replied-to messages that are not in the list. */
function repliedBeside(records: readonly MessageRecord[]): string[] {
  const ids = new Set(records.map(({ messageId }) => messageId))
  return withReplied(records).filter((id) => !ids.has(id))
}

/** Older lines carry the address of a picture on another server, which would learn the IP address of each viewer. */
function shownSystemNote(note: NonNullable<MessageRecord['system']>): NonNullable<MessageRecord['system']> {
  return note.kind === 'room_image_changed' ? { ...note, payload: {} } : note
}

function toMessage(
  record: MessageRecord,
  reads: ReadSnapshot,
  previewed: ReadonlyMap<string, MessageRecord>,
): Message {
  const original = record.replyTo === null ? undefined : previewed.get(record.replyTo)
  return {
    message_id: record.messageId,
    room_id: record.roomId,
    seq: record.seq,
    user_id: record.userId,
    username: record.username || DELETED_NAME,
    content: record.content,
    message_type: record.messageType,
    created_at: iso(record.createdAt),
    edited_at: record.editedAt === null ? null : iso(record.editedAt),
    is_deleted: record.isDeleted,
    deleted_for: record.isDeleted ? 'all' : null,
    reply_to: record.replyTo,
    reply_preview: original ? previewOf(original) : null,
    is_forwarded: record.isForwarded,
    attachment: record.attachment,
    file: record.file,
    mentions: [...record.mentions],
    reactions: record.reactions.map(({ emoji, userIds }) => ({ emoji, count: userIds.length, me: false })),
    pinned_at: record.pinnedAt === null ? null : iso(record.pinnedAt),
    system: record.system && shownSystemNote(record.system),
    unread_count: reads.unread(record.seq, record.userId),
    client_message_id: record.clientMessageId,
    rev: record.rev,
    cseq: record.cseq,
  }
}

function previewOf(original: MessageRecord): NonNullable<Message['reply_preview']> {
  return {
    message_id: original.messageId,
    seq: original.seq,
    user_id: original.userId,
    username: original.username || DELETED_NAME,
    content: excerpt(original.content),
    message_type: original.messageType,
    is_deleted: original.isDeleted,
  }
}

/** Returns a message for one user: marks own reactions, and hides messages invisible to or deleted by the user. */
export function personalView(shared: Message, record: MessageRecord, viewer: Viewer): Message {
  if (viewer.hides(record.messageId)) return hiddenMessage(shared)
  const preview = previewFor(shared.reply_preview, viewer)
  const isReactor = record.reactions.some(({ userIds }) => userIds.includes(viewer.userId))
  if (preview === shared.reply_preview && !isReactor) return shared
  return {
    ...shared,
    reply_preview: preview,
    reactions: record.reactions.map(({ emoji, userIds }) => ({
      emoji,
      count: userIds.length,
      me: userIds.includes(viewer.userId),
    })),
  }
}

function previewFor(preview: Message['reply_preview'], viewer: Viewer): Message['reply_preview'] {
  if (preview === null || !viewer.sees(preview.seq)) return null
  return viewer.hides(preview.message_id) ? { ...preview, content: '', is_deleted: true } : preview
}
