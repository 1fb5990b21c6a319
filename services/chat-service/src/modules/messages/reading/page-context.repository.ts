import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import {
  type ChangeDocument,
  collections,
  type HiddenDocument,
  type MessageDocument,
  type ReadPositionDocument,
} from '../log/documents.ts'
import { positionId } from '../message.ts'
import { type MovedPosition, toMovedPosition } from './read-positions.repository.ts'

export interface PageContextRequest {
  readonly roomId: number
  readonly userId: number
  /** The seqs that the page may contain, both inclusive. */
  readonly from: number
  readonly to: number
  /** Returns only read positions that moved since then; all when undefined. */
  readonly movedSince: Date | undefined
  /** This process's cached heads of the two logs. */
  readonly seq: number
  readonly cseq: number
}

export interface PageContext {
  readonly moved: readonly MovedPosition[]
  /** Messages of the page that the user has deleted for themselves. */
  readonly hidden: ReadonlySet<string>
  readonly hasNewerMessages: boolean
  readonly hasNewerChanges: boolean
}

type Found =
  | (ReadPositionDocument & { readonly kind: 'position' })
  | (HiddenDocument & { readonly kind: 'hidden' })
  | { readonly kind: 'message' | 'change' }

/** More than all members of a full room plus a page. */
const MAX_FOUND = 200_000

/** Reads all data of a history page except its messages, in one request. */
export class PageContextRepository {
  readonly #store: MongoStore

  constructor(store: MongoStore) {
    this.#store = store
  }

  async read(request: PageContextRequest): Promise<PageContext> {
    const { roomId, userId, from, to, movedSince, seq, cseq } = request
    const hiddenId = (position: number) => `${userId}:${positionId(roomId, position)}`
    const next = (position: number) => positionId(roomId, position + 1)
    const found = await this.#store.run('messages.page_context', () =>
      this.#store
        .collection<ReadPositionDocument>(collections.positions)
        .aggregate<Found>([
          { $match: { room_id: roomId, ...(movedSince ? { at: { $gte: movedSince } } : {}) } },
          { $addFields: { kind: 'position' } },
          unionWith<HiddenDocument>(
            collections.hidden,
            { _id: { $gte: hiddenId(from), $lte: hiddenId(to) } },
            'hidden',
          ),
          unionWith<MessageDocument>(collections.messages, { _id: next(seq) }, 'message'),
          unionWith<ChangeDocument>(collections.changes, { _id: next(cseq) }, 'change'),
          { $limit: MAX_FOUND },
        ])
        .toArray(),
    )
    const has = (kind: Found['kind']) => found.some((each) => each.kind === kind)
    return {
      moved: found.flatMap((each) => (each.kind === 'position' ? [toMovedPosition(each)] : [])),
      hidden: new Set(found.flatMap((each) => (each.kind === 'hidden' ? [each.message_id] : []))),
      hasNewerMessages: has('message'),
      hasNewerChanges: has('change'),
    }
  }
}

/** Projects only the needed fields; of a message or a change only its existence matters. */
function unionWith<Document extends { readonly _id: string }>(
  coll: string,
  match: { readonly _id: Document['_id'] | object },
  kind: Exclude<Found['kind'], 'position'>,
) {
  const fields = kind === 'hidden' ? { message_id: 1 } : { _id: 1 }
  return {
    $unionWith: { coll, pipeline: [{ $match: match }, { $project: fields }, { $addFields: { kind } }] },
  }
}
