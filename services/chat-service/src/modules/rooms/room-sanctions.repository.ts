import type { Tx } from '../../infrastructure/mysql.ts'
import { countListChange } from '../contacts/prisma-list-versions.ts'

/**
 * Removals, bans and silences, within the transaction of one change of rooms. The room is locked: of two admins the
 * second sees what the first did, so reading before writing is safe here.
 */
export class RoomSanctions {
  readonly #tx: Tx
  readonly #onSilence: (roomId: number, userId: number) => void

  /** @param onSilence is told whose right to write in which room has changed. */
  constructor(tx: Tx, onSilence: (roomId: number, userId: number) => void) {
    this.#tx = tx
    this.#onSilence = onSilence
  }

  async noteRemoval(
    roomId: number,
    userId: number,
    removedBy: number,
    at: Date,
    banned = false,
  ): Promise<void> {
    const removal = { removedBy, removedAt: at, banned }
    await this.#tx.roomRemoval.upsert({
      where: { roomId_userId: { roomId, userId } },
      create: { roomId, userId, ...removal },
      update: removal,
    })
  }

  /** Deletes the removal records of invited users, who may then join by links again. */
  async forgiveRemovals(roomId: number, userIds: readonly number[]): Promise<void> {
    await this.#tx.roomRemoval.deleteMany({ where: { roomId, userId: { in: [...userIds] } } })
  }

  async wasRemoved(roomId: number, userId: number): Promise<boolean> {
    return (await this.#tx.roomRemoval.count({ where: { roomId, userId } })) > 0
  }

  /** Returns the banned users among the given ones. */
  async bannedAmong(roomId: number, userIds: readonly number[]): Promise<number[]> {
    const rows = await this.#tx.roomRemoval.findMany({
      where: { roomId, userId: { in: [...userIds] }, banned: true },
      select: { userId: true },
    })
    return rows.map(({ userId }) => Number(userId))
  }

  /** Lifts a ban. Returns false when there was none. */
  async unban(roomId: number, userId: number): Promise<boolean> {
    const { count } = await this.#tx.roomRemoval.deleteMany({ where: { roomId, userId, banned: true } })
    return count === 1
  }

  async silence(roomId: number, userId: number, until: Date): Promise<void> {
    await this.#tx.roomSilence.upsert({
      where: { roomId_userId: { roomId, userId } },
      create: { roomId, userId, silencedUntil: until },
      update: { silencedUntil: until },
    })
    await this.#noteSilence(roomId, userId)
  }

  /** Lifts a mute. Returns false when there was none. */
  async unsilence(roomId: number, userId: number): Promise<boolean> {
    const { count } = await this.#tx.roomSilence.deleteMany({ where: { roomId, userId } })
    if (count === 0) return false
    await this.#noteSilence(roomId, userId)
    return true
  }

  /** Deletes everything about a room, or about an account. */
  async forget(of: { readonly roomId: number } | { readonly userId: number }): Promise<void> {
    await this.#tx.roomRemoval.deleteMany({ where: of })
    await this.#tx.roomSilence.deleteMany({ where: of })
  }

  async #noteSilence(roomId: number, userId: number): Promise<void> {
    await countListChange(this.#tx, [userId], 'rooms')
    this.#onSilence(roomId, userId)
  }
}
