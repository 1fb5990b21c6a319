import type { Attachment, MessageFile } from '@bigtech/contracts'
import type { KafkaRecord } from '@bigtech/kafka'
import type { mongo } from 'mongoose'
import type { Change, ChangeKind } from '../changes/change.ts'
import type { MessageRecord, SystemNote } from '../message.ts'
import { positionOf } from '../message.ts'

/** The common fields of both logs of a room. */
export interface LogDocument {
  /** `room:position`, see positionId. */
  readonly _id: string
  readonly room_id: number
  /** Never earlier than the previous entry, regardless of clock differences. */
  readonly created_at: Date
  /** The id of its event; also identifies a process's own entry after a broken connection. */
  readonly event_id: string
  /** Correlation id of the writing request, for its event. */
  readonly correlation_id?: string
  /** `traceparent` of the writing request, when traced. */
  readonly trace?: string
  /**
   * Only in entries older than the log as outbox (without `correlation_id`): marks events that were not yet
   * published.
   */
  readonly pending?: true
  readonly outbox?: readonly KafkaRecord[]
}

export interface MessageDocument extends LogDocument {
  readonly user_id: number
  readonly username: string
  readonly message_type: MessageRecord['messageType']
  /** Absent when there is none: the unique index covers only present ids. */
  readonly client_message_id?: string
  /** Hash of the request: a retry with another body is refused. */
  readonly body_hash?: string
  readonly reply_to: string | null
  readonly is_forwarded: boolean
  readonly system: SystemNote | null
  readonly cseq: number
  readonly rev: number
  readonly content: string
  readonly mentions?: readonly number[]
  readonly attachment: Attachment | null
  /** Absent in documents older than the files API. */
  readonly file?: MessageFile | null
  /** Kept for a deleted message, because its event names the file to media-service. */
  readonly file_id?: string
  readonly edited_at: Date | null
  readonly is_deleted: boolean
  readonly reactions: readonly { emoji: string; user_ids: readonly number[] }[]
  readonly pinned_at?: Date
  /** Only in messages edited before versions had a collection. */
  readonly versions?: readonly StoredVersion[]
}

interface StoredVersion {
  readonly rev: number
  readonly content: string
  readonly written_at: Date
}

export interface VersionDocument extends StoredVersion {
  /** `message_id:rev`, see versionId. */
  readonly _id: string
}

export interface ChangeDocument extends LogDocument {
  readonly message_id: string
  readonly cseq: number
  readonly user_id: number
  readonly kind: ChangeKind
  readonly content?: string
  readonly mentions?: readonly number[]
  /** For an edit: the `rev` of the message after it. */
  readonly rev?: number
  readonly emoji?: string
}

export interface ReadPositionDocument {
  /** `room:user` */
  readonly _id: string
  readonly room_id: number
  readonly user_id: number
  readonly seq: number
  /** Where the user has read to without the other members seeing it. */
  readonly private_seq?: number
  readonly at: Date
}

export interface HiddenDocument {
  /** `user:message_id` */
  readonly _id: string
  readonly user_id: number
  readonly message_id: string
  readonly at: Date
}

/**
 * The published positions of a room's logs. Also a lower bound for finding the heads, because published
 * entries are stored.
 */
export interface RoomHeadDocument {
  readonly _id: number
  readonly published_seq?: number
  readonly published_cseq?: number
}

/** Every entry created more than 30 s before `at` is published. */
export interface CheckpointDocument {
  readonly _id: 'messages'
  readonly at: Date
}

export const collections = {
  messages: 'messages',
  changes: 'room_changes',
  versions: 'message_versions',
  positions: 'read_positions',
  hidden: 'hidden_messages',
  heads: 'room_heads',
  checkpoint: 'publish_checkpoint',
} as const

/** Passed as a hint: planners prefer the primary key for many short ranges, which would read every message in them. */
export const unreadMentions = 'unread_mentions'
export const systemLines = 'system_lines'
export const deletedMessages = 'deleted_messages'

/** Indexes of earlier releases, which are dropped; the fields stay in old messages, and no read returns them. */
export const obsoleteIndexes = { [collections.messages]: ['tokens'] }
export const withoutBulk = { outbox: 0, tokens: 0, versions: 0 } as const

/** The indexes of each collection; tests verify with explain() that each one is used. */
export const indexes: Record<string, readonly mongo.IndexDescription[]> = {
  [collections.messages]: [
    {
      name: 'client_message_id',
      key: { room_id: 1, user_id: 1, client_message_id: 1 },
      unique: true,
      partialFilterExpression: { client_message_id: { $exists: true } },
    },
    { name: 'created', key: { created_at: 1, _id: 1 } },
    { name: 'room_time', key: { room_id: 1, created_at: 1 } },
    {
      name: unreadMentions,
      key: { mentions: 1, room_id: 1, _id: 1 },
      partialFilterExpression: { mentions: { $exists: true } },
    },
    {
      name: 'pins',
      key: { room_id: 1, pinned_at: -1 },
      partialFilterExpression: { pinned_at: { $exists: true } },
    },
    // Messages that do not count as unread: a small fraction.
    {
      name: systemLines,
      key: { room_id: 1, _id: 1 },
      partialFilterExpression: { message_type: 'system' },
    },
    {
      name: deletedMessages,
      key: { room_id: 1, _id: 1 },
      partialFilterExpression: { is_deleted: true },
    },
    { name: 'author', key: { user_id: 1, _id: 1 } },
  ],
  [collections.changes]: [
    { name: 'created', key: { created_at: 1, _id: 1 } },
    { name: 'room_time', key: { room_id: 1, created_at: 1 } },
    { name: 'message', key: { message_id: 1, cseq: 1 } },
  ],
  [collections.positions]: [
    { name: 'room', key: { room_id: 1, at: 1 } },
    { name: 'user', key: { user_id: 1 } },
  ],
  [collections.hidden]: [
    { name: 'message', key: { message_id: 1 } },
    { name: 'user', key: { user_id: 1, at: 1 } },
  ],
  [collections.versions]: [],
  [collections.heads]: [],
  [collections.checkpoint]: [],
}

export function toRecord(doc: MessageDocument): MessageRecord {
  return {
    ...(doc.trace === undefined ? {} : { trace: doc.trace }),
    messageId: doc._id,
    roomId: doc.room_id,
    seq: positionOf(doc._id),
    userId: doc.user_id,
    username: doc.username,
    messageType: doc.message_type,
    createdAt: doc.created_at.getTime(),
    clientMessageId: doc.client_message_id ?? null,
    replyTo: doc.reply_to,
    isForwarded: doc.is_forwarded,
    system: doc.system,
    cseq: doc.cseq,
    rev: doc.rev,
    content: doc.content,
    mentions: doc.mentions ?? [],
    attachment: doc.attachment,
    file: doc.file ?? null,
    editedAt: doc.edited_at?.getTime() ?? null,
    isDeleted: doc.is_deleted,
    reactions: doc.reactions.map(({ emoji, user_ids }) => ({ emoji, userIds: user_ids })),
    pinnedAt: doc.pinned_at?.getTime() ?? null,
  }
}

/** Returns the update that writes the record's state; the origin of a message never changes. */
export function stateUpdate(record: MessageRecord): mongo.UpdateFilter<MessageDocument> {
  const { mentions, pinnedAt } = record
  return {
    $set: {
      cseq: record.cseq,
      rev: record.rev,
      content: record.content,
      attachment: record.attachment,
      file: record.file,
      edited_at: record.editedAt === null ? null : new Date(record.editedAt),
      is_deleted: record.isDeleted,
      reactions: record.reactions.map(({ emoji, userIds }) => ({ emoji, user_ids: userIds })),
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(pinnedAt === null ? {} : { pinned_at: new Date(pinnedAt) }),
    },
    ...(mentions.length === 0 || pinnedAt === null || record.isDeleted
      ? {
          $unset: {
            ...(mentions.length === 0 ? { mentions: true } : {}),
            ...(pinnedAt === null ? { pinned_at: true } : {}),
            ...(record.isDeleted ? { versions: true } : {}),
          },
        }
      : {}),
  } as mongo.UpdateFilter<MessageDocument>
}

export function toChange(doc: ChangeDocument): Change {
  const { kind } = doc
  const base = {
    roomId: doc.room_id,
    cseq: doc.cseq,
    messageId: doc.message_id,
    userId: doc.user_id,
    at: doc.created_at.getTime(),
  }
  switch (kind) {
    case 'edited':
      return { ...base, body: { kind, content: doc.content ?? '', mentions: doc.mentions } }
    case 'reaction_added':
    case 'reaction_removed':
      return { ...base, body: { kind, emoji: doc.emoji ?? '' } }
    default:
      return { ...base, body: { kind } }
  }
}
