import type { HistoryStart } from '../../membership/membership.ports.ts'
import { readFloor } from '../../membership/membership.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import { excerpt, positionId } from '../message.ts'
import type { RoomHead, RoomHeads } from '../messages.ports.ts'
import type { RoomSummaries, RoomSummaryRepository } from './room-summary.repository.ts'
import type { UnreadCountRepository, UnreadRange } from './unread-counts.repository.ts'

/** A room with its newest seq. */
type RoomAt = { readonly roomId: number; readonly headSeq: number } & HistoryStart

/** Builds the message data of a room list, for all its rooms at once. */
export class RoomHeadsReader implements RoomHeads {
  readonly #counts: UnreadCountRepository
  readonly #repository: MessageRepository
  readonly #summaries: RoomSummaryRepository

  constructor(options: {
    counts: UnreadCountRepository
    repository: MessageRepository
    summaries: RoomSummaryRepository
  }) {
    this.#counts = options.counts
    this.#repository = options.repository
    this.#summaries = options.summaries
  }

  async heads(rooms: readonly RoomAt[], userId: number): Promise<Map<number, RoomHead>> {
    const heads = new Map(rooms.map(({ roomId, headSeq }) => [roomId, headSeq]))
    return this.#headsOf(rooms, userId, await this.#summaries.read(userId, heads))
  }

  async current(
    rooms: readonly ({ readonly roomId: number; readonly lastSeq: number } & HistoryStart)[],
    userId: number,
    wantedNews?: { readonly since: Date; readonly limit: number },
  ) {
    const { messages } = this.#repository
    const at = rooms.map((room) => ({
      ...room,
      headSeq: Math.max(room.lastSeq, messages.knownPosition(room.roomId)),
    }))
    const known = new Map(at.map(({ roomId, headSeq }) => [roomId, headSeq]))
    const summaries = await this.#summaries.read(userId, known, wantedNews)
    const { news } = summaries
    await Promise.all(summaries.beyond.map((roomId) => messages.readHead(roomId)))
    const newer = new Map(
      rooms.flatMap(({ roomId, lastSeq }) => {
        const { position, at } = messages.knownHead(roomId)
        return position > lastSeq
          ? [[roomId, { lastSeq: position, lastMessageAt: new Date(at) }] as const]
          : []
      }),
    )
    if (summaries.beyond.length === 0)
      return { heads: await this.#headsOf(at, userId, summaries), newer, news }
    const now = rooms.map((room) => ({ ...room, headSeq: newer.get(room.roomId)?.lastSeq ?? room.lastSeq }))
    return { heads: await this.heads(now, userId), newer, news }
  }

  async #headsOf(
    rooms: readonly RoomAt[],
    userId: number,
    { read, last, hidden, lastHidden }: RoomSummaries,
  ): Promise<Map<number, RoomHead>> {
    const shown = rooms.filter(({ headSeq, visibleFromSeq }) => headSeq >= Math.max(1, visibleFromSeq))
    const behind = new Map<number, UnreadRange>()
    for (const room of shown) {
      const newest = last.get(positionId(room.roomId, room.headSeq))
      // The position of a sender may not be stored yet.
      const isWriter = newest?.userId === userId && newest.messageType !== 'system'
      const after = isWriter ? room.headSeq : Math.max(read.get(room.roomId) ?? 0, readFloor(room))
      if (after < room.headSeq) behind.set(room.roomId, { after, head: room.headSeq })
    }
    const counts = await this.#counts.unread(userId, behind, lastHidden)
    return new Map(
      shown.map(({ roomId, headSeq: lastSeq }) => {
        const message = last.get(positionId(roomId, lastSeq))
        const { unread = 0, mentions = 0 } = counts.get(roomId) ?? {}
        return [
          roomId,
          {
            lastSeq,
            lastMessageType: message?.messageType ?? null,
            lastMessagePreview:
              !message || message.isDeleted || hidden.has(message.messageId)
                ? null
                : excerpt(message.content),
            lastMessageAt: message ? new Date(message.createdAt) : null,
            unreadCount: unread,
            mentionCount: Math.min(unread, mentions),
          },
        ]
      }),
    )
  }

  async newerThan(known: ReadonlyMap<number, number>) {
    const { messages } = this.#repository
    const found = await messages.roomsBeyond(known)
    const heads = await Promise.all(found.map((roomId) => messages.readHead(roomId)))
    return new Map(
      found.map((roomId, index) => {
        const { position, at } = heads[index]!
        return [roomId, { lastSeq: position, lastMessageAt: new Date(at) }]
      }),
    )
  }

  async headSeq(roomId: number): Promise<number> {
    return (await this.#repository.messages.readHead(roomId)).position
  }
}
