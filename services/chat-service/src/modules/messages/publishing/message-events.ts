import { messageDeleted, messageEdited, messageSent } from '@bigtech/contracts'
import { eventRecord, type KafkaRecord } from '@bigtech/kafka'
import type { ChangeDocument, LogDocument, MessageDocument } from '../log/documents.ts'
import { type MessageRecord, positionOf } from '../message.ts'

const SOURCE = 'chat-service'

/** Returns the MessageSent event with the current state of the message, which may include an edit or deletion. */
export function sentRecord(doc: MessageDocument): KafkaRecord {
  if (doc.outbox?.[0]) return doc.outbox[0]
  const { mentions = [] } = doc
  const payload = {
    message_id: doc._id,
    room_id: doc.room_id,
    seq: positionOf(doc._id),
    user_id: doc.user_id,
    username: doc.username,
    content: doc.content,
    message_type: doc.message_type,
    created_at: doc.created_at.toISOString(),
    reply_to: doc.reply_to,
    ...(mentions.length > 0 ? { mentions: [...mentions] } : {}),
    ...(doc.file_id === undefined ? {} : { file_id: doc.file_id }),
  }
  return eventRecord(messageSent, messageSent.create(payload, metaOf(doc)), SOURCE, doc.trace)
}

/**
 * Returns the event of a change; undefined for a change without an event, and for an edit whose text was
 * deleted with the
 * message: MessageDeleted follows.
 *
 * @param message in its current state
 */
export function changeRecord(doc: ChangeDocument, message: MessageRecord): KafkaRecord | undefined {
  if (doc.outbox?.[0]) return doc.outbox[0]
  const at = doc.created_at.toISOString()
  const reference = {
    message_id: doc.message_id,
    room_id: doc.room_id,
    seq: message.seq,
    user_id: message.userId,
  }
  if (doc.kind === 'deleted') {
    const payload = { ...reference, deleted_by: doc.user_id, deleted_at: at }
    return eventRecord(messageDeleted, messageDeleted.create(payload, metaOf(doc)), SOURCE, doc.trace)
  }
  if (doc.kind !== 'edited' || doc.content === undefined) return undefined
  const payload = {
    ...reference,
    content: doc.content,
    rev: doc.rev ?? message.rev,
    edited_at: at,
    mentions: [...(doc.mentions ?? message.mentions)],
  }
  return eventRecord(messageEdited, messageEdited.create(payload, metaOf(doc)), SOURCE, doc.trace)
}

function metaOf({ event_id, correlation_id, created_at }: LogDocument) {
  return { eventId: event_id, correlationId: correlation_id ?? event_id, timestamp: created_at }
}
