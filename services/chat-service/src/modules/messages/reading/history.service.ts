import type { Message } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  decodeCursor,
  encodeCursor,
  Problem,
  StoreUnavailable,
} from '@bigtech/service-kit'
import { z } from 'zod'
import { SharedReads } from '../../../shared-reads.ts'
import type { Membership, MembershipReader } from '../../membership/membership.ports.ts'
import { readFloor } from '../../membership/membership.ts'
import type { HistoryRange, MessageRepository } from '../log/message.repository.ts'
import type { RoomPosition } from '../log/room-heads.repository.ts'
import type { MessageRecord } from '../message.ts'
import type { MessageLimits } from '../message-limits.ts'
import type { RoomUpdates } from '../room-updates.ts'
import type { SearchIndex, SearchPosition, SearchRequest } from '../search/search-index.ts'
import { isMatch, searchQuery } from '../search/search-tokens.ts'
import type { MessageViews } from './message.view.ts'
import type { PageContextRepository } from './page-context.repository.ts'
import type { ReadPositionRepository } from './read-positions.repository.ts'
import type { ReadState } from './read-state.ts'
import type { RecentMessages } from './recent-messages.ts'

const END = 999_999_999_999
const historyCursor = z.union([
  z.strictObject({ before: z.int().min(0) }),
  z.strictObject({ after: z.int().min(0) }),
])
const searchCursor = z.strictObject({ at: z.int(), id: z.string().max(40) })

/** Time budget after which a search returns its matches so far. With the last step the response takes less than 300 ms. */
const SEARCH_MS = 200

export interface HistoryQuery {
  readonly before_seq?: number | undefined
  readonly after_seq?: number | undefined
  readonly around_seq?: number | undefined
  readonly cursor?: string | undefined
  readonly limit: number
}

/** Returns which of two users restricts the other. */
export type RestrictionsBetween = (
  userId: number,
  peerId: number,
) => Promise<{ readonly byUser: boolean; readonly byPeer: boolean }>

export interface HistoryServiceOptions {
  readonly repository: MessageRepository
  readonly positions: ReadPositionRepository
  readonly reads: ReadState
  readonly pageContext: PageContextRepository
  readonly recent: RecentMessages
  readonly views: MessageViews
  readonly members: MembershipReader
  readonly restrictions: RestrictionsBetween
  readonly limits: MessageLimits
  readonly updates: RoomUpdates
  readonly search: SearchIndex
}

/** Reads history, search results and read positions. */
export class HistoryService {
  readonly #options: HistoryServiceOptions
  readonly #pages = new SharedReads<readonly MessageRecord[]>()

  constructor(options: HistoryServiceOptions) {
    this.#options = options
  }

  async list(ctx: AuthenticatedContext, roomId: number, query: HistoryQuery) {
    const { members, reads } = this.#options
    const { visibleFromSeq } = await members.require(roomId, ctx.actor.userId)
    const floor = visibleFromSeq - 1
    const page = rangeOf(query)
    // Read before the messages: later entries are then beyond the head returned to the client.
    const { head, moved, movedSince, hidden } = await this.#context(ctx.actor.userId, roomId, page)
    const read = (range: HistoryRange) =>
      this.#read(roomId, { ...range, after: Math.max(range.after, floor) }, head)
    const { items, next } = await pageOf(page, read)
    // Another process may not have stored the positions of these senders yet.
    reads.noteWritten(items)
    const shown = { hidden, reads: await reads.merge(roomId, moved, movedSince) }
    return {
      items: await this.#options.views.forViewer(items, ctx.actor.userId, shown),
      next_cursor: next && encodeCursor(next),
      last_seq: head.seq,
      last_cseq: head.cseq,
    }
  }

  async #read(roomId: number, range: HistoryRange, head: RoomPosition): Promise<readonly MessageRecord[]> {
    const recent = await this.#options.recent.read(roomId, range, head)
    if (recent) return recent
    const { after, before, order, limit } = range
    const key = [roomId, after, before, order, limit].join()
    return this.#pages.get(key, () => this.#options.repository.history(roomId, range))
  }

  /**
   * Returns the heads of the room's logs and the context of a page, in one request unless the logs are ahead
   * of this process's cache.
   */
  async #context(userId: number, roomId: number, page: Page) {
    const { repository, reads, pageContext } = this.#options
    const { messages, changes } = repository
    let [{ position: seq }, { position: cseq }] = await Promise.all([
      messages.headToAppendTo(roomId),
      changes.headToAppendTo(roomId),
    ])
    const { from, to } = seqsOf(page, seq)
    const movedSince = reads.movedSince(roomId)
    const context = await pageContext.read({ roomId, userId, from, to, movedSince, seq, cseq })
    if (context.hasNewerMessages) seq = (await messages.readHead(roomId)).position
    if (context.hasNewerChanges) cseq = (await changes.readHead(roomId)).position
    return { head: { seq, cseq }, moved: context.moved, movedSince, hidden: context.hidden }
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
    const wanted = searchQuery(query.q)
    const { tokens } = wanted
    if (tokens.length === 0 || roomIds.length === 0)
      return { items: [], next_cursor: null, is_partial: false }
    const matches = (message: MessageRecord) =>
      !message.isDeleted &&
      message.seq >= (visibleFrom.get(message.roomId) ?? Number.POSITIVE_INFINITY) &&
      isMatch(wanted, message.content)
    const before = position && { at: new Date(position.at), id: position.id }
    const found = await this.#find(userId, { roomIds, tokens, before, limit: query.limit }, matches)
    const { next } = found
    return {
      // What the user has deleted for themselves is not among the items.
      items: await this.#options.views.forViewer(found.items, userId, { hidden: new Set() }),
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
    // The cached head may be stale; only then query the store.
    if (seq > head.position && seq > (await repository.messages.readHead(roomId)).position)
      throw new Problem('SEQ_OUT_OF_RANGE')
    const isPrivate = await this.#readsPrivately(membership)
    const { shown, own } = await positions.ofUser(userId, roomId)
    const before = Math.max(isPrivate ? own : shown, readFloor(membership))
    if (seq <= before) return { room_id: roomId, user_id: userId, seq: before }
    if (isPrivate) {
      await positions.advancePrivately({ roomId, userId, seq })
      updates.emit({ roomId, privateRead: { userId, seq } })
      return { room_id: roomId, user_id: userId, seq }
    }
    await positions.advance([{ roomId, userId, seq }])
    reads.noteRead({ roomId, userId, seq })
    updates.emit({ roomId, reads: [{ userId, seq }] })
    return { room_id: roomId, user_id: userId, seq }
  }

  async readPositions(ctx: AuthenticatedContext, roomId: number) {
    const { userId } = ctx.actor
    const { directPeerId } = await this.#options.members.require(roomId, userId)
    const { positions } = await this.#options.reads.snapshot(roomId)
    const own = directPeerId === null ? 0 : (await this.#options.positions.ofUser(userId, roomId)).own
    return [...positions].map(([user_id, seq]) => ({
      user_id,
      seq: user_id === userId ? Math.max(seq, own) : seq,
    }))
  }

  /** Returns whether the member restricts the other user of a 1:1 room, also while that cannot be determined. */
  async #readsPrivately({ userId, directPeerId }: Membership): Promise<boolean> {
    if (directPeerId === null) return false
    try {
      return (await this.#options.restrictions(userId, directPeerId)).byUser
    } catch (err) {
      if (err instanceof StoreUnavailable) return true
      throw err
    }
  }

  /** Filters index hits: not every hit is a result. */
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
      // One more than the page, to detect a next page.
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

/** The requested page: the messages around, after or before a seq, which is exclusive except for `around`. */
type Page = { readonly limit: number } & (
  | { readonly around: number }
  | { readonly after: number }
  | { readonly before: number }
)

function rangeOf({ limit, cursor, around_seq: around, after_seq, before_seq }: HistoryQuery): Page {
  if (around !== undefined) return { limit, around }
  const decoded = decodeCursor(historyCursor, cursor)
  const after = decoded && 'after' in decoded ? decoded.after : after_seq
  if (after !== undefined) return { limit, after }
  return { limit, before: (decoded && 'before' in decoded ? decoded.before : before_seq) ?? END }
}

/** Returns the seqs that the page may contain. @param head of the room, or lower */
function seqsOf(page: Page, head: number): { from: number; to: number } {
  const { limit } = page
  if ('around' in page) return { from: Math.max(0, page.around - limit), to: page.around + limit }
  if ('after' in page) return { from: page.after, to: page.after + limit + 1 }
  return { from: Math.max(0, Math.min(page.before, head) - limit - 1), to: Math.min(page.before, END) }
}

async function pageOf(
  page: Page,
  read: (range: HistoryRange) => Promise<readonly MessageRecord[]>,
): Promise<{ items: MessageRecord[]; next: Next }> {
  const { limit } = page
  if ('around' in page) {
    const { around } = page
    const half = Math.floor(limit / 2)
    const older = half > 0 ? await read({ after: 0, before: around, order: 'newest', limit: half }) : []
    const newer = await read({ after: around - 1, before: END, order: 'oldest', limit: limit - half })
    return { items: [...older.toReversed(), ...newer], next: null }
  }
  if ('after' in page) {
    const found = await read({ after: page.after, before: END, order: 'oldest', limit: limit + 1 })
    const items = found.slice(0, limit)
    return { items, next: found.length > limit ? { after: items.at(-1)!.seq } : null }
  }
  const found = await read({ after: 0, before: page.before, order: 'newest', limit: limit + 1 })
  const items = found.slice(0, limit).reverse()
  return { items, next: found.length > limit ? { before: items[0]!.seq } : null }
}
