import { foldText, type Message } from '@bigtech/contracts'
import { type AuthenticatedContext, decodeCursor, encodeCursor, Problem } from '@bigtech/service-kit'
import { z } from 'zod'
import type { MembershipReader } from '../../membership/membership.ports.ts'
import { readFloor } from '../../membership/membership.ts'
import type { HistoryRange, MessageRepository } from '../log/message.repository.ts'
import type { RoomPositions } from '../log/room-heads.repository.ts'
import type { MessageRecord } from '../message.ts'
import type { MessageLimits } from '../message-limits.ts'
import type { RoomUpdates } from '../room-updates.ts'
import type { SearchIndex, SearchPosition, SearchRequest } from '../search/search-index.ts'
import { searchQuery } from '../search/search-tokens.ts'
import type { MessageViews } from './message.view.ts'
import type { ReadPositionRepository } from './read-positions.repository.ts'
import type { ReadState } from './read-state.ts'

const END = 999_999_999_999
const historyCursor = z.union([
  z.strictObject({ before: z.int().min(0) }),
  z.strictObject({ after: z.int().min(0) }),
])
const searchCursor = z.strictObject({ at: z.int(), id: z.string().max(40) })

/** A search that has taken so long answers with what it has found. */
const SEARCH_MS = 250

export interface HistoryQuery {
  readonly before_seq?: number | undefined
  readonly after_seq?: number | undefined
  readonly around_seq?: number | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface HistoryServiceOptions {
  readonly repository: MessageRepository
  readonly positions: ReadPositionRepository
  readonly reads: ReadState
  readonly rooms: RoomPositions
  readonly views: MessageViews
  readonly members: MembershipReader
  readonly limits: MessageLimits
  readonly updates: RoomUpdates
  readonly search: SearchIndex
}

/** Reading: history, search, and how far somebody has read. */
export class HistoryService {
  readonly #options: HistoryServiceOptions

  constructor(options: HistoryServiceOptions) {
    this.#options = options
  }

  async list(ctx: AuthenticatedContext, roomId: number, query: HistoryQuery) {
    const { repository, members, rooms } = this.#options
    const { visibleFromSeq } = await members.require(roomId, ctx.actor.userId)
    const floor = visibleFromSeq - 1
    // Before the messages: what comes in between is then beyond the head that the client hears of.
    const head = (await rooms.of([roomId])).get(roomId)!
    const read = (range: HistoryRange) =>
      repository.history(roomId, { ...range, after: Math.max(range.after, floor) })
    const { items, next } = await pageOf(query, read)
    return {
      items: await this.#options.views.forViewer(items, ctx.actor.userId),
      next_cursor: next && encodeCursor(next),
      last_seq: head.seq,
      last_cseq: head.cseq,
    }
  }

  async search(
    ctx: AuthenticatedContext,
    query: { q: string; room_id?: number | undefined; limit: number; cursor?: string | undefined },
  ): Promise<{ items: Message[]; next_cursor: string | null; is_partial: boolean }> {
    const { userId } = ctx.actor
    const { members, limits } = this.#options
    await limits.search(userId)
    const position = decodeCursor(searchCursor, query.cursor)
    const memberships =
      query.room_id === undefined
        ? await members.ofUser(userId)
        : [await members.require(query.room_id, userId)]
    const visibleFrom = new Map(memberships.map(({ roomId, visibleFromSeq }) => [roomId, visibleFromSeq]))
    const roomIds = [...visibleFrom.keys()]
    const { tokens, phrases } = searchQuery(query.q)
    if (tokens.length === 0 || roomIds.length === 0)
      return { items: [], next_cursor: null, is_partial: false }
    const matches = (message: MessageRecord) =>
      !message.isDeleted &&
      message.seq >= (visibleFrom.get(message.roomId) ?? Number.POSITIVE_INFINITY) &&
      phrases.every((phrase) => foldText(message.content).includes(phrase))
    const before = position && { at: new Date(position.at), id: position.id }
    const found = await this.#find(userId, { roomIds, tokens, before, limit: query.limit }, matches)
    const { next } = found
    return {
      items: await this.#options.views.forViewer(found.items, userId),
      next_cursor: next && encodeCursor({ at: next.at.getTime(), id: next.id }),
      is_partial: next !== null && found.items.length < query.limit,
    }
  }

  async markRead(ctx: AuthenticatedContext, roomId: number, seq: number) {
    const { userId } = ctx.actor
    const { members, limits, positions, repository, reads, updates } = this.#options
    const membership = await members.require(roomId, userId)
    await limits.read(userId)
    const head = await repository.messages.headToAppendTo(roomId)
    // The head in memory may be old; only then the store is asked.
    if (seq > head.position && seq > (await repository.messages.readHead(roomId)).position)
      throw new Problem('SEQ_OUT_OF_RANGE')
    const before = Math.max(
      (await positions.ofUser(userId, [roomId])).get(roomId) ?? 0,
      readFloor(membership),
    )
    if (seq <= before) return { room_id: roomId, user_id: userId, seq: before }
    await positions.advance([{ roomId, userId, seq }])
    reads.heard({ roomId, userId, seq })
    updates.emit({ roomId, reads: [{ userId, seq }] })
    return { room_id: roomId, user_id: userId, seq }
  }

  async readPositions(ctx: AuthenticatedContext, roomId: number) {
    await this.#options.members.require(roomId, ctx.actor.userId)
    const { positions } = await this.#options.reads.snapshot(roomId)
    return [...positions].map(([user_id, seq]) => ({ user_id, seq }))
  }

  /** Pairs of characters can agree where the phrase does not, so not every hit of the index is a result. */
  async #find(
    userId: number,
    request: Omit<SearchRequest, 'until'>,
    matches: (message: MessageRecord) => boolean,
  ): Promise<{ items: MessageRecord[]; next: SearchPosition | null }> {
    const { repository, search } = this.#options
    const { limit } = request
    const until = performance.now() + SEARCH_MS
    const items: MessageRecord[] = []
    let before = request.before
    for (;;) {
      // One more than the page: whether anything follows it.
      const { hits, next } = await search.find({ ...request, before, limit: limit + 1, until })
      const ids = hits.map(({ id }) => id)
      const [messages, hidden] = await Promise.all([repository.byIds(ids), repository.hiddenBy(userId, ids)])
      for (const hit of hits) {
        if (items.length === limit) return { items, next: before! }
        before = hit
        const message = messages.get(hit.id)
        if (message && matches(message) && !hidden.has(hit.id)) items.push(message)
      }
      if (next === null || performance.now() >= until) return { items, next }
      before = next
    }
  }
}

type Next = { before: number } | { after: number } | null

async function pageOf(
  query: HistoryQuery,
  read: (range: HistoryRange) => Promise<MessageRecord[]>,
): Promise<{ items: MessageRecord[]; next: Next }> {
  const { limit, around_seq: around } = query
  if (around !== undefined) {
    const half = Math.floor(limit / 2)
    const older = half > 0 ? await read({ after: 0, before: around, order: 'newest', limit: half }) : []
    const newer = await read({ after: around - 1, before: END, order: 'oldest', limit: limit - half })
    return { items: [...older.reverse(), ...newer], next: null }
  }
  const cursor = decodeCursor(historyCursor, query.cursor)
  const after = cursor && 'after' in cursor ? cursor.after : query.after_seq
  if (after !== undefined) {
    const found = await read({ after, before: END, order: 'oldest', limit: limit + 1 })
    const items = found.slice(0, limit)
    return { items, next: found.length > limit ? { after: items.at(-1)!.seq } : null }
  }
  const before = (cursor && 'before' in cursor ? cursor.before : query.before_seq) ?? END
  const found = await read({ after: 0, before, order: 'newest', limit: limit + 1 })
  const items = found.slice(0, limit).reverse()
  return { items, next: found.length > limit ? { before: items[0]!.seq } : null }
}
