import type { Outbox } from '@bigtech/outbox'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { Role } from '../membership/membership.ports.ts'
import { RoomTransaction } from './room-transaction.repository.ts'

export interface ListedMember {
  readonly userId: number
  readonly role: Role
  readonly joinedAt: Date
  /** Null: not muted. */
  readonly silencedUntil: Date | null
}

export interface MemberPosition {
  readonly joinedAt: Date
  readonly userId: number
}

/** Receives the committed changes. */
export interface CommitListener {
  committed(change: Pick<RoomTransaction, 'members' | 'settings'>): Promise<void>
}

/** Rooms and their changes in MySQL. */
export class RoomRepository {
  readonly #mysql: Mysql
  readonly #outbox: Outbox
  readonly #onCommit: () => void
  readonly #listener: CommitListener

  /**
   * @param onCommit wakes the outbox relay
   * @param listener the membership cache, which is updated before a change returns to its caller
   */
  constructor(mysql: Mysql, outbox: Outbox, onCommit: () => void, listener: CommitListener) {
    this.#mysql = mysql
    this.#outbox = outbox
    this.#onCommit = onCommit
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
    if (last) await this.#listener.committed(last)
    return result
  }

  async directRoomId(directKey: string): Promise<number | undefined> {
    const [row] = await this.#mysql.run(
      'direct_room',
      (db) => db.$queryRaw<{ id: bigint }[]>`SELECT id FROM rooms WHERE direct_key = ${directKey}`,
    )
    return row && Number(row.id)
  }

  /** Returns members in the order of joining, one more than `limit`. */
  async members(roomId: number, after: MemberPosition | undefined, limit: number): Promise<ListedMember[]> {
    const beyond = after
      ? Prisma.sql`AND (m.joined_at > ${after.joinedAt} OR (m.joined_at = ${after.joinedAt} AND m.user_id > ${after.userId}))`
      : Prisma.empty
    const rows = await this.#mysql.run(
      'members',
      (db) => db.$queryRaw<{ user_id: bigint; role: Role; joined_at: Date; silenced_until: Date | null }[]>`
        SELECT m.user_id, m.role, m.joined_at, s.silenced_until FROM room_members m
        LEFT JOIN room_silences s ON s.room_id = m.room_id AND s.user_id = m.user_id
          AND s.silenced_until > ${new Date()}
        WHERE m.room_id = ${roomId} ${beyond} ORDER BY m.joined_at, m.user_id LIMIT ${limit + 1}`,
    )
    return rows.map((row) => ({
      userId: Number(row.user_id),
      role: row.role,
      joinedAt: row.joined_at,
      silencedUntil: row.silenced_until,
    }))
  }
}
