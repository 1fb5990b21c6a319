import type { Outbox } from '@bigtech/outbox'
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
    const room = await this.#mysql.run('direct_room', (db) =>
      db.room.findUnique({ where: { directKey }, select: { id: true } }),
    )
    return room ? Number(room.id) : undefined
  }

  /** Returns members in the order of joining, one more than `limit`. */
  async members(roomId: number, after: MemberPosition | undefined, limit: number): Promise<ListedMember[]> {
    const beyond = after && {
      OR: [{ joinedAt: { gt: after.joinedAt } }, { joinedAt: after.joinedAt, userId: { gt: after.userId } }],
    }
    const members = await this.#mysql.run('members', (db) =>
      db.roomMember.findMany({
        where: { roomId, ...beyond },
        orderBy: [{ joinedAt: 'asc' }, { userId: 'asc' }],
        take: limit + 1,
        select: { userId: true, role: true, joinedAt: true },
      }),
    )
    const silences = await this.#silences(
      roomId,
      members.map(({ userId }) => userId),
    )
    return members.map(({ userId, role, joinedAt }) => ({
      userId: Number(userId),
      role: role as Role,
      joinedAt,
      silencedUntil: silences.get(userId) ?? null,
    }))
  }

  /** Until when those of the users who may not write may not. */
  async #silences(roomId: number, userIds: bigint[]): Promise<Map<bigint, Date>> {
    const rows = await this.#mysql.run('silences', (db) =>
      db.roomSilence.findMany({
        where: { roomId, userId: { in: userIds }, silencedUntil: { gt: new Date() } },
      }),
    )
    return new Map(rows.map(({ userId, silencedUntil }) => [userId, silencedUntil]))
  }
}
