import { hash } from 'node:crypto'
import { type Attachment, type MessageFile, uuidv7 } from '@bigtech/contracts'
import { activeTrace } from '@bigtech/kafka'
import { type MessageRecord, positionId, type SystemNote } from '../message.ts'
import type { Draft } from './append.ts'
import type { MessageDocument } from './documents.ts'

export interface NewMessage {
  readonly roomId: number
  readonly userId: number
  readonly username: string
  readonly content: string
  readonly messageType: MessageRecord['messageType']
  readonly clientMessageId?: string | undefined
  readonly replyTo?: string | undefined
  readonly mentions?: readonly number[] | undefined
  /** Of a forwarded message older than the files API. */
  readonly attachment?: Attachment | undefined
  /** The id passed by the sender; `file` is media-service's metadata. */
  readonly fileId?: string | undefined
  readonly file?: MessageFile | undefined
  /** The id of the forwarded original. */
  readonly forwardOf?: string
  readonly system?: SystemNote
}

/** Prepares a message for its position. The document contains all data of its event, because the log is the outbox. */
export function draftOf(message: NewMessage, correlationId: string): Draft {
  const { roomId, userId, content, clientMessageId = null } = message
  const eventId = uuidv7()
  const trace = activeTrace()
  let bodyHash: string | undefined
  // Only sends with a client_message_id are compared.
  const hashed = () => (bodyHash ??= hashOf(message))
  return {
    roomId,
    userId,
    clientMessageId,
    get bodyHash() {
      return hashed()
    },
    bytes: content.length * 6 + 1_000 + (message.file?.preview?.length ?? 0),
    at: (position, createdAt) => {
      const messageId = positionId(roomId, position)
      return {
        _id: messageId,
        room_id: roomId,
        created_at: new Date(createdAt),
        event_id: eventId,
        user_id: userId,
        username: message.username,
        message_type: message.messageType,
        ...(clientMessageId === null ? {} : { client_message_id: clientMessageId, body_hash: hashed() }),
        reply_to: message.replyTo ?? null,
        is_forwarded: message.forwardOf !== undefined,
        system: message.system ?? null,
        cseq: 0,
        rev: 0,
        content,
        ...(message.mentions?.length ? { mentions: message.mentions } : {}),
        attachment: message.attachment ?? null,
        file: message.file ?? null,
        edited_at: null,
        is_deleted: false,
        reactions: [],
        correlation_id: correlationId,
        ...(trace === undefined ? {} : { trace }),
        ...(message.file ? { file_id: message.file.file_id } : {}),
      } satisfies MessageDocument
    },
  }
}

/** Hashes only the sender's input, without values added by the service; for a forward, the id of the original. */
function hashOf({ content, messageType, replyTo, mentions, fileId, forwardOf }: NewMessage): string {
  const body =
    forwardOf === undefined
      ? [content, messageType, replyTo ?? null, mentions ?? [], fileId ?? null, false]
      : [forwardOf]
  return hash('sha256', JSON.stringify(body), 'base64url').slice(0, 22)
}
