import type { mongo } from 'mongoose'
import { collections, type MessageDocument, type ReadPositionDocument } from '../log/documents.ts'
import { positionOf } from '../message.ts'

export interface UnreadFinding {
  readonly roomId: number
  readonly userId: number
  /** The stored position, and the lower or upper bound implied by the messages. */
  readonly stored: number
  readonly expected: number
}

interface Written {
  readonly _id: { readonly room_id: number; readonly user_id: number }
  readonly last: string
}

/**
 * Compares the stored read positions, from which every unread count is derived, with the messages: a sender
 * has read up to their own message, and nobody beyond the newest one. Reads all messages of the database, so
 * it is a command and not part of the service.
 */
export async function checkUnread(db: mongo.Db, options: { fix: boolean }): Promise<UnreadFinding[]> {
  const positions = db.collection<ReadPositionDocument>(collections.positions)
  const stored = new Map<string, ReadPositionDocument>()
  for await (const position of positions.find()) stored.set(position._id, position)
  const findings: UnreadFinding[] = []
  const heads = new Map<number, number>()
  const written = db
    .collection<MessageDocument>(collections.messages)
    .aggregate<Written & { system: boolean }>([
      {
        $group: {
          _id: { room_id: '$room_id', user_id: '$user_id', system: { $eq: ['$message_type', 'system'] } },
          last: { $max: '$_id' },
        },
      },
    ])
  for await (const { _id, last } of written) {
    const { room_id: roomId, user_id: userId, system } = _id as Written['_id'] & { system: boolean }
    const seq = positionOf(last)
    heads.set(roomId, Math.max(heads.get(roomId) ?? 0, seq))
    const position = stored.get(`${roomId}:${userId}`)?.seq ?? 0
    if (!system && position < seq) findings.push({ roomId, userId, stored: position, expected: seq })
  }
  for (const { room_id: roomId, user_id: userId, seq } of stored.values()) {
    const head = heads.get(roomId) ?? 0
    if (seq > head) findings.push({ roomId, userId, stored: seq, expected: head })
  }
  if (options.fix) for (const finding of findings) await fix(positions, finding)
  return findings
}

/** Returns the newest position of each room that has messages. */
export async function headsOf(db: mongo.Db, roomIds: readonly number[]): Promise<Map<number, number>> {
  if (roomIds.length === 0) return new Map()
  const newest = await db
    .collection<MessageDocument>(collections.messages)
    .aggregate<{ _id: number; last: string }>([
      { $match: { room_id: { $in: roomIds } } },
      { $group: { _id: '$room_id', last: { $max: '$_id' } } },
    ])
    .toArray()
  return new Map(newest.map(({ _id, last }) => [_id, positionOf(last)]))
}

/** Changes a position only if it is still as found: the member may have read on in the meantime. */
async function fix(
  positions: mongo.Collection<ReadPositionDocument>,
  { roomId, userId, stored, expected }: UnreadFinding,
): Promise<void> {
  const _id = `${roomId}:${userId}`
  if (stored === 0)
    await positions.updateOne(
      { _id },
      { $max: { seq: expected }, $set: { room_id: roomId, user_id: userId }, $currentDate: { at: true } },
      { upsert: true },
    )
  else
    await positions.updateOne({ _id, seq: stored }, { $set: { seq: expected }, $currentDate: { at: true } })
}
