import type { Attachment, MessageFile } from '@bigtech/contracts'
import type { KafkaRecord } from '@bigtech/kafka'
import type { mongo } from 'mongoose'
import type { Change, ChangeKind } from '../changes/change.ts'
import type { MessageRecord, SystemNote } from '../message.ts'
import { positionOf } from '../message.ts'

/** What both logs of a room have in common. */
export interface LogDocument {
  /** `room:position`, see positionId. */
  readonly _id: string
  readonly room_id: number
  /** Never before the entry in front of it, whatever the clocks of the processes say. */
  readonly created_at: Date
  /** The id of its event, and how a process knows its own entry again after a connection broke. */
  readonly event_id: string
  /** Of the request that wrote the entry, for its event. */
  readonly correlation_id?: string
  /** `traceparent` of that request, when it is traced. */
  readonly trace?: string
  /**
   * Only in entries from before the log was the outbox (they have no `correlation_id`): the events that were not
   * on Kafka then.
   */
  readonly pending?: true
  readonly outbox?: readonly KafkaRecord[]
}

export interface MessageDocument extends LogDocument {
  readonly user_id: number
  readonly username: string
  readonly message_type: MessageRecord['messageType']
  /** Left out when there is none: the unique index covers those that have one. */
  readonly client_message_id?: string
  /** Of the request: a repeat with another body is refused. */
  readonly body_hash?: string
  readonly reply_to: string | null
  readonly is_forwarded: boolean
  readonly system: SystemNote | null
  readonly cseq: number
  readonly rev: number
  readonly content: string
  readonly mentions?: readonly number[]
  readonly attachment: Attachment | null
  /** Not there in documents from before files. */
  readonly file?: MessageFile | null
  /** Of the file, also when the message is deleted: its event tells media-service what it showed. */
  readonly file_id?: string
  readonly edited_at: Date | null
  readonly is_deleted: boolean
  readonly reactions: readonly { emoji: string; user_ids: readonly number[] }[]
  readonly pinned_at?: Date
  /** Of messages edited before versions had a collection of their own. */
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
  /** Of an edit: the `rev` that the message has with it. */
  readonly rev?: number
  readonly emoji?: string
}

export interface ReadPositionDocument {
  /** `room:user` */
  readonly _id: string
  readonly room_id: number
  readonly user_id: number
  readonly seq: number
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
 * How far a room's logs are on Kafka. Also a place to start looking for the heads from: an entry that is published
 * is stored.
 */
export interface RoomHeadDocument {
  readonly _id: number
  readonly published_seq?: number
  readonly published_cseq?: number
  /** Where the room was not long ago; no longer written. */
  readonly seq?: number
  readonly cseq?: number
}

/** Everything that was created more than 30 s before `at` is on Kafka. */
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

/** Asked for by name: planners prefer the primary key for many short ranges, which reads every message in them. */
export const unreadMentions = 'unread_mentions'
export const systemLines = 'system_lines'
export const deletedMessages = 'deleted_messages'

/** What earlier releases had. The indexes are dropped; the fields stay in old messages, and no read carries them. */
export const obsoleteIndexes = { [collections.messages]: ['tokens'] }
export const withoutBulk = { outbox: 0, tokens: 0, versions: 0 } as const

/** One spelling of an index list; tests ask explain() whether each is used. */
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
    // What does not count as unread: few of all messages.
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

/** The update that makes a document say what the record says; the origin of a message never changes. */
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
