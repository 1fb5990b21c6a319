import type { Room, RoomPerson } from '@bigtech/contracts'
import { decodeCursor, Problem, StoreUnavailable, toPage, upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { ContactName } from '../contacts/contacts.ts'
import { muteAt, peerIn } from '../membership/membership.ts'
import type { RoomHead, RoomHeads } from '../messages/messages.ports.ts'
import type { RoomActivityWriter } from './room-activity.ts'
import type { RoomDetails } from './room-list.repository.ts'
import { RoomOrder } from './room-order.ts'
import type { RoomOrders } from './room-orders.ts'

export interface RoomListStore {
  allDetails(userId: number, archived: boolean, most: number): Promise<RoomDetails[] | undefined>
  details(userId: number, roomIds: readonly number[]): Promise<ReadonlyMap<number, RoomDetails>>
  /** Like `details`, with the version of the user's memberships and settings; undefined without rooms. */
  detailsAt(
    userId: number,
    roomIds: readonly number[],
  ): Promise<{ rooms: ReadonlyMap<number, RoomDetails>; version: string | undefined }>
  firstMembers(
    roomIds: readonly number[],
    exceptUserId: number,
    count: number,
  ): Promise<ReadonlyMap<number, readonly number[]>>
}

/** Returns names as visible to the viewer, from the local copies. */
export interface Names {
  names(userIds: readonly number[], viewerId: number): Promise<ReadonlyMap<number, ContactName>>
}

type HeadsOf = (rooms: readonly RoomDetails[]) => Promise<ReadonlyMap<number, RoomHead>>

type Page<Item> = { items: Item[]; next_cursor: string | null }

/** Returns the ids of the rooms of the requested page. */
type PageOf = (order: RoomOrder) => Page<number>

/** Up to this number the list reads all rooms in one statement, instead of their places and then those of the page. */
const FEW_ROOMS = 50
const TITLE_NAMES = 4
const cursorSchema = z.tuple([z.union([z.literal(0), z.literal(1)]), z.int(), z.int()])

/** Builds rooms for their members. */
export class RoomListService {
  readonly #store: RoomListStore
  readonly #heads: RoomHeads
  readonly #orders: RoomOrders
  readonly #activity: Pick<RoomActivityWriter, 'touch'>
  readonly #names: Names
  readonly #refuse: (roomId: number, userId: number) => Promise<unknown>
  /** Lists that had more than `FEW_ROOMS`. */
  readonly #longLists = new LRUCache<string, true>({ ...upToEntries(10_000), ttl: 60 * 60_000 })

  /** @param refuse throws the problem for a user who is not a member */
  constructor(options: {
    store: RoomListStore
    heads: RoomHeads
    orders: RoomOrders
    activity: Pick<RoomActivityWriter, 'touch'>
    names: Names
    refuse: (roomId: number, userId: number) => Promise<unknown>
  }) {
    this.#store = options.store
    this.#heads = options.heads
    this.#orders = options.orders
    this.#activity = options.activity
    this.#names = options.names
    this.#refuse = options.refuse
  }

  /** Lists rooms, pinned first, then newest activity: exact although MySQL is updated once a second. */
  async listRooms(
    userId: number,
    query: { limit: number; cursor?: string | undefined; archived: boolean },
  ): Promise<{ items: Room[]; next_cursor: string | null }> {
    const cursor = decodeCursor(cursorSchema, query.cursor)
    const after = cursor && { pinned: cursor[0] === 1, at: cursor[1], roomId: cursor[2] }
    const pageOf: PageOf = (order) =>
      toPage(
        order.after(after, query.limit + 1),
        query.limit,
        ({ pinned, at, roomId }) => [pinned ? 1 : 0, at, roomId],
        ({ roomId }) => roomId,
      )
    return (
      (await this.#listFew(userId, query.archived, pageOf)) ??
      (await this.#listMany(userId, query.archived, pageOf))
    )
  }

  /** Lists the rooms of a user who has few, all of which are read at once; undefined for a user with more. */
  async #listFew(userId: number, archived: boolean, pageOf: PageOf): Promise<Page<Room> | undefined> {
    const list = `${userId}:${archived}`
    if (this.#longLists.has(list)) return undefined
    const rooms = await this.#store.allDetails(userId, archived, FEW_ROOMS)
    if (!rooms) {
      this.#longLists.set(list, true)
      return undefined
    }
    const { heads, newer } = await this.#current(rooms, userId)
    const places = rooms.map(({ roomId, pinnedAt, lastActivityAt, lastSeq }) => ({
      roomId,
      lastSeq,
      pinned: pinnedAt !== null,
      at: Math.max(lastActivityAt.getTime(), newer.get(roomId)?.lastMessageAt.getTime() ?? 0),
    }))
    const page = pageOf(new RoomOrder('', places, 0))
    return this.#listed(userId, page, new Map(rooms.map((room) => [room.roomId, room])), heads)
  }

  /**
   * Lists the page that the order in memory has, together with the proof that it is current; otherwise the page of the
   * corrected order.
   */
  async #listMany(userId: number, archived: boolean, pageOf: PageOf): Promise<Page<Room>> {
    const known = this.#orders.known(userId, archived)
    if (!known) return this.#listOrder(userId, await this.#orders.read(userId, archived), pageOf)
    const startedAt = Date.now()
    const { rooms, version } = await this.#store.detailsAt(userId, pageOf(known).items)
    if (version !== known.version)
      return this.#listOrder(userId, await this.#orders.read(userId, archived), pageOf)
    const { heads, newer, news } = await this.#current(
      [...rooms.values()],
      userId,
      this.#orders.newsSince(known),
    )
    for (const [roomId, { lastSeq, lastMessageAt }] of newer)
      known.advance(roomId, lastSeq, lastMessageAt.getTime())
    await this.#orders.check(known, news, startedAt)
    const page = pageOf(known)
    if (page.items.every((roomId) => rooms.has(roomId))) return this.#listed(userId, page, rooms, heads)
    return this.#listOrder(userId, known, pageOf)
  }

  /** Lists the page of a current order. */
  async #listOrder(userId: number, order: RoomOrder, pageOf: PageOf): Promise<Page<Room>> {
    const page = pageOf(order)
    const rooms = await this.#store.details(userId, page.items)
    const heads = await this.#heads.heads(
      [...rooms.values()].map((room) => ({
        ...room,
        headSeq: order.lastSeqOf(room.roomId) ?? room.lastSeq,
      })),
      userId,
    )
    return this.#listed(userId, page, rooms, heads)
  }

  async #listed(
    userId: number,
    page: Page<number>,
    rooms: ReadonlyMap<number, RoomDetails>,
    heads: ReadonlyMap<number, RoomHead>,
  ): Promise<Page<Room>> {
    // A room left in the meantime is omitted.
    const listed = page.items.flatMap((roomId) => rooms.get(roomId) ?? [])
    const views = await this.#view(userId, listed, async () => heads)
    return { ...page, items: listed.map(({ roomId }) => views.get(roomId)!) }
  }

  async #current(
    rooms: readonly RoomDetails[],
    userId: number,
    news?: { since: Date; limit: number },
  ): ReturnType<RoomHeads['current']> {
    const current = await this.#heads.current(rooms, userId, news)
    for (const [roomId, { lastSeq, lastMessageAt }] of current.newer)
      this.#activity.touch(roomId, lastSeq, lastMessageAt)
    return current
  }

  /** Returns a room. @throws Problem NOT_A_MEMBER, ROOM_NOT_FOUND */
  getRoom(userId: number, roomId: number): Promise<Room> {
    return this.#one(userId, roomId, (rooms) => this.#headsNow(userId, rooms))
  }

  /** Returns the room after a committed change; must not fail during an outage of the message store. */
  roomAfterChange(userId: number, roomId: number): Promise<Room> {
    return this.#one(userId, roomId, (rooms) =>
      this.#headsNow(userId, rooms).catch((err: unknown) => {
        if (err instanceof StoreUnavailable) return new Map()
        throw err
      }),
    )
  }

  async #one(userId: number, roomId: number, headsOf: HeadsOf): Promise<Room> {
    const details = await this.#store.details(userId, [roomId])
    const room = (await this.#view(userId, [...details.values()], headsOf)).get(roomId)
    if (room) return room
    await this.#refuse(roomId, userId)
    // The cached membership is stale.
    throw new Problem('NOT_A_MEMBER')
  }

  async #headsNow(userId: number, rooms: readonly RoomDetails[]): ReturnType<HeadsOf> {
    return (await this.#current(rooms, userId)).heads
  }

  async #view(userId: number, rooms: readonly RoomDetails[], headsOf: HeadsOf): Promise<Map<number, Room>> {
    const [heads, people] = await Promise.all([headsOf(rooms), this.#peopleOf(userId, rooms)])
    const now = new Date()
    return new Map(
      rooms.map((room) => [
        room.roomId,
        toRoom(room, peerIn(room.directKey, userId), heads.get(room.roomId), people, now),
      ]),
    )
  }

  async #peopleOf(userId: number, rooms: readonly RoomDetails[]): Promise<PeopleOfRooms> {
    const unnamed = rooms.filter(({ roomType, name }) => roomType === 'group' && name === null)
    const others = await this.#store.firstMembers(
      unnamed.map(({ roomId }) => roomId),
      userId,
      TITLE_NAMES,
    )
    const peers = rooms.flatMap(({ directKey }) => peerIn(directKey, userId) ?? [])
    const names = await this.#names.names([...new Set([...peers, ...[...others.values()].flat()])], userId)
    return { others, names }
  }
}

interface PeopleOfRooms {
  /** The first other members of unnamed groups. */
  readonly others: ReadonlyMap<number, readonly number[]>
  readonly names: ReadonlyMap<number, ContactName>
}

function toRoom(
  room: RoomDetails,
  peerId: number | null,
  head: RoomHead | undefined,
  { others, names }: PeopleOfRooms,
  now: Date,
): Room {
  const peer = peerId === null ? null : names.get(peerId)
  const otherNames = (others.get(room.roomId) ?? []).flatMap((id) => names.get(id)?.displayName ?? [])
  const { muted, mutedUntil } = muteAt(room.mutedUntil, now)
  const lastMessageAt = head?.lastMessageAt ?? null
  return {
    room_id: room.roomId,
    room_type: room.roomType,
    name: room.name,
    title: room.name ?? peer?.displayName ?? otherNames.join(', '),
    image_url: room.imageUrl,
    peer: peer ? toPerson(peer) : null,
    member_count: room.memberCount,
    role: room.role,
    history_visibility: room.historyVisibility,
    posting: room.rules.posting,
    slow_mode_seconds: room.rules.slowModeSeconds,
    silenced_until: room.silencedUntil && room.silencedUntil > now ? room.silencedUntil.toISOString() : null,
    created_by: room.createdBy,
    created_at: room.createdAt.toISOString(),
    last_activity_at: latest(room.lastActivityAt, lastMessageAt).toISOString(),
    last_seq: Math.max(room.lastSeq, head?.lastSeq ?? 0),
    last_message_type: head?.lastMessageType ?? null,
    last_message_preview: head?.lastMessagePreview ?? null,
    last_message_at: lastMessageAt?.toISOString() ?? null,
    unread_count: head?.unreadCount ?? 0,
    mention_count: head?.mentionCount ?? 0,
    pinned: room.pinnedAt !== null,
    muted,
    muted_until: mutedUntil?.toISOString() ?? null,
    restricted: peer?.isRestricted ?? false,
    archived: room.archivedAt !== null,
  }
}

/** Converts a contact to the format of rooms. */
export function toPerson(name: ContactName): RoomPerson {
  return {
    user_id: name.userId,
    username: name.username,
    display_name: name.displayName,
    profile_image_url: name.profileImageUrl,
  }
}

function latest(one: Date, other: Date | null): Date {
  return other && other > one ? other : one
}
