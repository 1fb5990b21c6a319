import type { mongo } from 'mongoose'
import {
  type CheckpointDocument,
  collections,
  type LogDocument,
  type RoomHeadDocument,
} from '../log/documents.ts'
import { positionId, positionOf } from '../message.ts'

/** A log of a room whose published position is not its head. */
export interface UnpublishedFinding {
  readonly roomId: number
  readonly log: 'messages' | 'room_changes'
  /** After the head in a restored backup: the log was dumped before the positions. */
  readonly published: number
  readonly head: number
  /** When the first unpublished entry was created. */
  readonly since: Date
}

interface AheadCheck {
  readonly log: UnpublishedFinding['log']
  readonly field: 'published_seq' | 'published_cseq'
  readonly ends: readonly RoomEnds[]
  readonly published: ReadonlyMap<number, number | undefined>
  readonly fix: boolean
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
    findings.push(...(await checkAhead(db, { log, field, ends, published, fix })))
  }
  return findings
}

/** Finds positions after the head of their log: the next entries up to there would never be published. */
async function checkAhead(
  db: mongo.Db,
  { log, field, ends, published, fix }: AheadCheck,
): Promise<UnpublishedFinding[]> {
  const findings: UnpublishedFinding[] = []
  const heads = new Map(ends.map(({ _id, last }) => [_id, positionOf(last)]))
  for (const [roomId, upTo = 0] of published) {
    if (upTo <= (heads.get(roomId) ?? 0)) continue
    // The room may have got entries since the log was read.
    const head = await headOf(db, log, roomId)
    if (upTo <= head) continue
    findings.push({ roomId, log, published: upTo, head, since: new Date() })
    if (fix)
      await db
        .collection<RoomHeadDocument>(collections.heads)
        .updateOne({ _id: roomId, [field]: upTo }, { $set: { [field]: head } })
  }
  return findings
}

async function headOf(db: mongo.Db, log: string, roomId: number): Promise<number> {
  // Every id of a room is between `room:` and `room;`.
  const newest = await db
    .collection<LogDocument>(log)
    .findOne(
      { _id: { $gte: `${roomId}:`, $lt: `${roomId};` } },
      { sort: { _id: -1 }, projection: { _id: 1 } },
    )
  return newest ? positionOf(newest._id) : 0
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
