import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import {
  collections,
  type HiddenDocument,
  type MessageDocument,
  type ReadPositionDocument,
  toRecord,
} from '../log/documents.ts'
import { type MessageRecord, positionId, positionOf, roomOf } from '../message.ts'
import type { NewMessage } from '../messages.ports.ts'
import { ownSeqOf } from './read-positions.repository.ts'

/** The message data of a room list, independent of unread counts. */
export interface RoomSummaries {
  /** The user's read position by room. */
  readonly read: ReadonlyMap<number, number>
  /** The newest message of each room, by id. */
  readonly last: ReadonlyMap<string, MessageRecord>
  /** The newest messages that the user has deleted for themselves. */
  readonly hidden: ReadonlySet<string>
  /** The latest messages that the user has deleted for themselves. */
  readonly lastHidden: readonly string[]
  /** Rooms with a message beyond the given seq. */
  readonly beyond: readonly number[]
  /** The recent messages of all rooms, if asked for; undefined when they are too many. */
  readonly news: readonly NewMessage[] | undefined
}

type Found =
  | (ReadPositionDocument & { readonly kind: 'read' })
  | (MessageDocument & { readonly kind: 'last' })
  | (HiddenDocument & { readonly kind: 'hidden' | 'last_hidden' })
  | { readonly kind: 'beyond'; readonly room_id: number }
  | (Pick<MessageDocument, '_id' | 'created_at'> & { readonly kind: 'new' })

const LAST_HIDDEN = 500
const MAX_FOUND = 2_000

export class RoomSummaryRepository {
  readonly #store: MongoStore

  constructor(store: MongoStore) {
    this.#store = store
  }

  /** Reads at most 100 rooms in one request. @param heads the newest known seq of each room, which may be 0 */
  async read(
    userId: number,
    heads: ReadonlyMap<number, number>,
    news?: { readonly since: Date; readonly limit: number },
  ): Promise<RoomSummaries> {
    if (heads.size === 0)
      return {
        ...{ read: new Map(), last: new Map(), hidden: new Set<string>(), lastHidden: [], beyond: [] },
        news: undefined,
      }
    const lastIds = [...heads].map(([roomId, seq]) => positionId(roomId, seq))
    const nextIds = [...heads].map(([roomId, seq]) => positionId(roomId, seq + 1))
    const found = await this.#store.run('messages.room_summaries', () =>
      this.#store
        .collection<ReadPositionDocument>(collections.positions)
        .aggregate<Found>([
          { $match: { _id: { $in: [...heads.keys()].map((roomId) => `${roomId}:${userId}`) } } },
          { $addFields: { kind: 'read' } },
          union(collections.messages, 'last', [
            { $match: { _id: { $in: lastIds } } },
            { $project: { outbox: 0, tokens: 0, versions: 0 } },
          ]),
          union(collections.messages, 'beyond', [
            { $match: { _id: { $in: nextIds } } },
            { $project: { room_id: 1 } },
          ]),
          union(collections.hidden, 'hidden', [
            { $match: { _id: { $in: lastIds.map((id) => `${userId}:${id}`) } } },
          ]),
          union(collections.hidden, 'last_hidden', [
            { $match: { user_id: userId } },
            { $sort: { at: -1 } },
            { $limit: LAST_HIDDEN },
          ]),
          ...(news
            ? [
                union(collections.messages, 'new', [
                  { $match: { created_at: { $gte: news.since } } },
                  { $sort: { created_at: 1, _id: 1 } },
                  { $limit: news.limit },
                  { $project: { created_at: 1 } },
                ]),
              ]
            : []),
          { $limit: MAX_FOUND },
        ])
        .toArray(),
    )
    const recent = found.flatMap((each) => (each.kind === 'new' ? [toNewMessage(each)] : []))
    return {
      news: news && recent.length < news.limit ? recent : undefined,
      read: new Map(found.flatMap((each) => (each.kind === 'read' ? [[each.room_id, ownSeqOf(each)]] : []))),
      last: new Map(found.flatMap((each) => (each.kind === 'last' ? [[each._id, toRecord(each)]] : []))),
      hidden: new Set(found.flatMap((each) => (each.kind === 'hidden' ? [each.message_id] : []))),
      lastHidden: found.flatMap((each) => (each.kind === 'last_hidden' ? [each.message_id] : [])),
      beyond: found.flatMap((each) => (each.kind === 'beyond' ? [each.room_id] : [])),
    }
  }
}

function toNewMessage({ _id, created_at }: Pick<MessageDocument, '_id' | 'created_at'>): NewMessage {
  return { roomId: roomOf(_id), lastSeq: positionOf(_id), lastMessageAt: created_at }
}

function union(coll: string, kind: Found['kind'], pipeline: object[]) {
  return { $unionWith: { coll, pipeline: [...pipeline, { $addFields: { kind } }] } }
}
