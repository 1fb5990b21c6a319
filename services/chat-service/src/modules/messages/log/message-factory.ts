import { createHash } from 'node:crypto'
import { type Attachment, type MessageFile, messageSent, uuidv7 } from '@bigtech/contracts'
import { eventRecord } from '@bigtech/kafka'
import { type MessageRecord, positionId, type SystemNote } from '../message.ts'
import { indexTokens } from '../search/search-tokens.ts'
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
  /** Of a forwarded message from before files. */
  readonly attachment?: Attachment | undefined
  /** What the sender named; `file` is what media-service says of it. */
  readonly fileId?: string | undefined
  readonly file?: MessageFile | undefined
  /** The message that this one is a copy of. */
  readonly forwardOf?: string
  readonly system?: SystemNote
}

/**
 * Prepares a message for its place: the document carries its own event, so that both are stored by
 * one write or not at all.
 */
export function draftOf(message: NewMessage, correlationId: string): Draft {
  const { roomId, userId, content, clientMessageId = null } = message
  const eventId = uuidv7()
  const bodyHash = hashOf(message)
  const tokens = message.messageType === 'system' ? [] : indexTokens(content)
  return {
    roomId,
    userId,
    clientMessageId,
    bodyHash,
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
        ...(clientMessageId === null ? {} : { client_message_id: clientMessageId, body_hash: bodyHash }),
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
        tokens,
        pending: true,
        outbox: [sentRecord(message, messageId, position, createdAt, { eventId, correlationId })],
      } satisfies MessageDocument
    },
  }
}

function sentRecord(
  message: NewMessage,
  messageId: string,
  seq: number,
  createdAt: number,
  meta: { eventId: string; correlationId: string },
) {
  const timestamp = new Date(createdAt)
  const event = messageSent.create(
    {
      message_id: messageId,
      room_id: message.roomId,
      seq,
      user_id: message.userId,
      username: message.username,
      content: message.content,
      message_type: message.messageType,
      created_at: timestamp.toISOString(),
      reply_to: message.replyTo ?? null,
      ...(message.mentions?.length ? { mentions: [...message.mentions] } : {}),
      ...(message.file ? { file_id: message.file.file_id } : {}),
    },
    { ...meta, timestamp },
  )
  return eventRecord(messageSent, event, 'chat-service')
}

/** Of what the sender asked for, and of nothing that the service adds: of a forward, which message it is. */
function hashOf({ content, messageType, replyTo, mentions, fileId, forwardOf }: NewMessage): string {
  const body =
    forwardOf === undefined
      ? [content, messageType, replyTo ?? null, mentions ?? [], fileId ?? null, false]
      : [forwardOf]
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22)
}
