import type { mongo } from 'mongoose'
import {
  type CheckpointDocument,
  collections,
  type LogDocument,
  type RoomHeadDocument,
} from '../log/documents.ts'
import { positionId, positionOf } from '../message.ts'

/** A log of a room with unpublished entries. */
export interface UnpublishedFinding {
  readonly roomId: number
  readonly log: 'messages' | 'room_changes'
  readonly published: number
  readonly head: number
  /** When the first unpublished entry was created. */
  readonly since: Date
}

interface RoomEnds {
  readonly _id: number
  readonly last: string
  /** The first entry this log has to publish; an earlier release has published those before it. */
  readonly first: string
}

const NONE = '~'

export interface PublishedCheckOptions {
  /** Moves the checkpoint back, so that the running service finds and publishes these entries within 20 s. */
  readonly fix: boolean
  /** Ignores entries created less than this ago, which may be in flight. Default 0. */
  readonly graceMs?: number
}

/**
 * Compares the logs of every room with the published positions. Reads all messages of the database, so it is
 * a command for operators and not part of the service.
 */
export async function checkPublished(
  db: mongo.Db,
  { fix, graceMs = 0 }: PublishedCheckOptions,
): Promise<UnpublishedFinding[]> {
  const findings: UnpublishedFinding[] = []
  for (const [log, field] of logs) {
    // Read the log first, so that the published positions are never older than it.
    const ends = await db.collection<LogDocument>(log).aggregate<RoomEnds>(endsOfRooms).toArray()
    const heads = await db.collection<RoomHeadDocument>(collections.heads).find().toArray()
    const published = new Map(heads.map((head) => [head._id, head[field]]))
    for (const { _id: roomId, last, first } of ends) {
      const head = positionOf(last)
      const upTo = published.get(roomId) ?? (first === NONE ? head : positionOf(first) - 1)
      if (upTo >= head) continue
      const createdAt = await timeOf(db, log, positionId(roomId, upTo + 1))
      if (createdAt.getTime() > Date.now() - graceMs) continue
      findings.push({ roomId, log, published: upTo, head, since: createdAt })
      if (fix) await moveBack(db, createdAt)
    }
  }
  return findings
}

const logs = [
  ['messages', 'published_seq'],
  ['room_changes', 'published_cseq'],
] as const
const hasToBePublished = {
  $or: [{ $ne: [{ $type: '$correlation_id' }, 'missing'] }, { $eq: ['$pending', true] }],
}
const endsOfRooms = [
  {
    $group: {
      _id: '$room_id',
      last: { $max: '$_id' },
      first: { $min: { $cond: [hasToBePublished, '$_id', NONE] } },
    },
  },
]

async function timeOf(db: mongo.Db, log: string, _id: string): Promise<Date> {
  const entry = await db.collection<LogDocument>(log).findOne({ _id }, { projection: { created_at: 1 } })
  return entry?.created_at ?? new Date()
}

async function moveBack(db: mongo.Db, at: Date): Promise<void> {
  await db
    .collection<CheckpointDocument>(collections.checkpoint)
    .updateOne({ _id: 'messages', at: { $gt: at } }, { $set: { at } })
}
