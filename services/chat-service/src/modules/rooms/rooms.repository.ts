import type { Outbox } from '@bigtech/outbox'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { Role, RoomType } from './membership.ts'
import { peerIn } from './room.ts'
import { type RoomRecord, RoomTransaction, roomColumns, toRoomRecord } from './room-transaction.repository.ts'

/** A membership as it is stored; whether it is muted depends on the time of asking. */
export interface MembershipRecord {
  readonly roomId: number
  readonly userId: number
  readonly role: Role
  readonly roomType: RoomType
  readonly joinedAt: Date
  readonly visibleFromSeq: number
  readonly joinedSeq: number
  readonly directPeerId: number | null
  readonly mutedUntil: Date | null
}

export interface ListedMember {
  readonly userId: number
  readonly role: Role
  readonly joinedAt: Date
}

export interface MemberPosition {
  readonly joinedAt: Date
  readonly userId: number
}

/** Told after a commit what is different now. */
export interface CommitListener {
  committed(change: Pick<RoomTransaction, 'members' | 'settings'>): Promise<void>
}

/** Rooms and members in MySQL. */
export class RoomRepository {
  readonly #mysql: Mysql
  readonly #outbox: Outbox
  readonly #onCommit: () => void
  #listener: CommitListener | undefined

  /** @param onCommit wakes the outbox relay. */
  constructor(mysql: Mysql, outbox: Outbox, onCommit: () => void) {
    this.#mysql = mysql
    this.#outbox = outbox
    this.#onCommit = onCommit
  }

  /** There is one: the memory of memberships, which is right before a change's caller goes on. */
  tellAfterCommit(listener: CommitListener): void {
    this.#listener = listener
  }

  async transaction<Result>(
    operation: string,
    correlationId: string,
    work: (tx: RoomTransaction) => Promise<Result>,
  ): Promise<Result> {
    let last: RoomTransaction | undefined
    const result = await this.#mysql.transaction(operation, (tx) => {
      last = new RoomTransaction(tx, this.#outbox, { correlationId })
      return work(last)
    })
    this.#onCommit()
    if (last) await this.#listener?.committed(last)
    return result
  }

  async find(roomId: number): Promise<RoomRecord | undefined> {
    const [row] = await this.#mysql.run(
      'room',
      (db) =>
        db.$queryRaw<
          Parameters<typeof toRoomRecord>[0][]
        >`SELECT ${roomColumns} FROM rooms WHERE id = ${roomId} AND deleted_at IS NULL`,
    )
    return row && toRoomRecord(row)
  }

  async directRoomId(directKey: string): Promise<number | undefined> {
    const [row] = await this.#mysql.run(
      'direct_room',
      (db) => db.$queryRaw<{ id: bigint }[]>`SELECT id FROM rooms WHERE direct_key = ${directKey}`,
    )
    return row && Number(row.id)
  }

  /** Of these users in these rooms. One of both is one alone: a range of the primary key. */
  async memberships(roomIds: readonly number[], userIds: readonly number[]): Promise<MembershipRecord[]> {
    if (roomIds.length === 0 || userIds.length === 0) return []
    const rows = await this.#mysql.run(
      'memberships',
      (db) => db.$queryRaw<
        {
          room_id: bigint
          user_id: bigint
          room_type: RoomType
          direct_key: string | null
          role: Role
          joined_at: Date
          visible_from_seq: bigint
          joined_seq: bigint
          muted_until: Date | null
        }[]
      >`SELECT m.room_id, m.user_id, r.room_type, r.direct_key, m.role, m.joined_at, m.visible_from_seq,
          m.joined_seq, m.muted_until
        FROM room_members m JOIN rooms r ON r.id = m.room_id
        WHERE m.room_id IN (${Prisma.join([...roomIds])}) AND m.user_id IN (${Prisma.join([...userIds])})`,
    )
    return rows.map((row) => ({
      roomId: Number(row.room_id),
      userId: Number(row.user_id),
      role: row.role,
      roomType: row.room_type,
      joinedAt: row.joined_at,
      visibleFromSeq: Number(row.visible_from_seq),
      joinedSeq: Number(row.joined_seq),
      directPeerId: peerIn(row.direct_key, Number(row.user_id)),
      mutedUntil: row.muted_until,
    }))
  }

  async memberIds(roomId: number): Promise<number[]> {
    const rows = await this.#mysql.run(
      'member_ids',
      (db) =>
        db.$queryRaw<
          { user_id: bigint }[]
        >`SELECT user_id FROM room_members WHERE room_id = ${roomId} ORDER BY user_id`,
    )
    return rows.map(({ user_id }) => Number(user_id))
  }

  async roomIdsOf(userId: number): Promise<number[]> {
    const rows = await this.#mysql.run(
      'room_ids',
      (db) =>
        db.$queryRaw<
          { room_id: bigint }[]
        >`SELECT room_id FROM room_members WHERE user_id = ${userId} ORDER BY room_id`,
    )
    return rows.map(({ room_id }) => Number(room_id))
  }

  /** Those of the users that are in the room now. */
  async present(roomId: number, userIds: readonly number[]): Promise<number[]> {
    if (userIds.length === 0) return []
    const rows = await this.#mysql.run(
      'members_present',
      (db) => db.$queryRaw<{ user_id: bigint }[]>`
        SELECT user_id FROM room_members WHERE room_id = ${roomId} AND user_id IN (${Prisma.join([...userIds])})`,
    )
    return rows.map(({ user_id }) => Number(user_id))
  }

  /** In the order of joining, one more than `limit`. */
  async members(roomId: number, after: MemberPosition | undefined, limit: number): Promise<ListedMember[]> {
    const beyond = after
      ? Prisma.sql`AND (joined_at > ${after.joinedAt} OR (joined_at = ${after.joinedAt} AND user_id > ${after.userId}))`
      : Prisma.empty
    const rows = await this.#mysql.run(
      'members',
      (db) => db.$queryRaw<{ user_id: bigint; role: Role; joined_at: Date }[]>`
        SELECT user_id, role, joined_at FROM room_members
        WHERE room_id = ${roomId} ${beyond} ORDER BY joined_at, user_id LIMIT ${limit + 1}`,
    )
    return rows.map((row) => ({ userId: Number(row.user_id), role: row.role, joinedAt: row.joined_at }))
  }
}
