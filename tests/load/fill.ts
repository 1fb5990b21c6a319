import type { Connection } from 'mongoose'
import { indexes } from '../../services/chat-service/src/modules/messages/log/documents.ts'

const BATCH = 5_000
const FIRST_AT = Date.parse('2026-01-01')

/** Time of the message with this number in a filled room. */
export const filledAt = (n: number): Date => new Date(FIRST_AT + n * 1_000)

export const filledId = (roomId: number, n: number): string => `${roomId}:${String(n).padStart(12, '0')}`

/**
 * Inserts published messages `first` (by default 1) to `count` into a room, faster than by sending them. Call it before the service starts, which then finds
 * stores that have grown: it neither creates indexes, nor looks for unpublished messages of earlier releases, nor fills the search index.
 */
export async function fillRoom(
  connection: Connection,
  roomId: number,
  count: number,
  contentOf: (n: number) => string,
  onBatch: (numbers: readonly number[]) => Promise<unknown> = async () => undefined,
  first = 1,
): Promise<void> {
  const db = connection.db!
  // The service would create them on the filled collections, which slows all reads for many seconds.
  for (const [name, specs] of Object.entries(indexes))
    if (specs.length > 0) await db.collection(name).createIndexes([...specs])
  const messages = db.collection<{ _id: string }>('messages')
  for (let start = first; start <= count; start += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - start + 1) }, (_, index) => start + index)
    await messages.insertMany(
      numbers.map((n) => documentOf(roomId, n, contentOf(n))),
      { ordered: false },
    )
    await onBatch(numbers)
    if (first === 1 && (start - 1) % (BATCH * 20) === 0)
      console.error(`room ${roomId}: ${start - 1} of ${count} messages`)
  }
  // Otherwise the relay would publish all of them after the first message that is sent.
  const head = { published_seq: count, published_cseq: 0 }
  await db
    .collection<{ _id: number }>('room_heads')
    .updateOne({ _id: roomId }, { $set: head }, { upsert: true })
  await keepOnce(db, 'publish_checkpoint', { _id: 'messages', at: new Date() })
  const noLease = { lease_id: null, lease_until: new Date(0) }
  await keepOnce(db, 'search_state', { _id: 'blocks', after: '', done: true, ...noLease })
}

async function keepOnce(
  db: NonNullable<Connection['db']>,
  name: string,
  document: { _id: string; [field: string]: unknown },
) {
  const { _id, ...fields } = document
  await db.collection<{ _id: string }>(name).updateOne({ _id }, { $setOnInsert: fields }, { upsert: true })
}

function documentOf(roomId: number, n: number, content: string) {
  return {
    _id: filledId(roomId, n),
    room_id: roomId,
    user_id: 1,
    username: 'load',
    content,
    message_type: 'text',
    created_at: filledAt(n),
    event_id: `load-${roomId}-${n}`,
    correlation_id: 'load',
    reply_to: null,
    is_forwarded: false,
    system: null,
    cseq: 0,
    rev: 0,
    attachment: null,
    edited_at: null,
    is_deleted: false,
    reactions: [],
  }
}
