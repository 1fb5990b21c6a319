import { type RoomBan, roomMemberSilenced } from '@bigtech/contracts'
import { type AuthenticatedContext, decodeCursor, Problem, toPage } from '@bigtech/service-kit'
import { z } from 'zod'
import type { MembershipReader } from '../membership/membership.ports.ts'
import { FOREVER } from '../membership/membership.ts'
import { takeOut } from './members.service.ts'
import { mayRemove, roleAllows } from './room.ts'
import { assertGroup, lockGroup, roleRequired } from './room-authorization.ts'
import type { Names } from './room-list.service.ts'
import type { AuditEntry, Ban } from './room-tools.repository.ts'
import type { RoomTransaction } from './room-transaction.repository.ts'
import type { RoomTransactions } from './rooms.service.ts'

export interface RoomToolsStore {
  bans(roomId: number, afterUserId: number, limit: number): Promise<Ban[]>
  audit(roomId: number, before: number | undefined, limit: number): Promise<AuditEntry[]>
}

interface PageQuery {
  readonly limit: number
  readonly cursor?: string | undefined
}

const MINUTE_MS = 60_000
const position = z.int().positive()

/** Moderation of a group by its owner and admins. */
export class RoomToolsService {
  readonly #rooms: RoomTransactions
  readonly #store: RoomToolsStore
  readonly #membership: Pick<MembershipReader, 'require'>
  readonly #names: Names

  constructor(options: {
    rooms: RoomTransactions
    store: RoomToolsStore
    membership: Pick<MembershipReader, 'require'>
    names: Names
  }) {
    this.#rooms = options.rooms
    this.#store = options.store
    this.#membership = options.membership
    this.#names = options.names
  }

  /** Mutes a member and returns the end of the mute. @param minutes null: until lifted */
  async silence(ctx: AuthenticatedContext, roomId: number, targetId: number, minutes: number | null) {
    const { userId } = ctx.actor
    const until = minutes === null ? FOREVER : new Date(Date.now() + minutes * MINUTE_MS)
    await this.#rooms.transaction('room_silence', ctx.requestId, async (tx) => {
      await lockAbove(tx, roomId, userId, targetId)
      await tx.sanctions.silence(roomId, targetId, until)
      await announceSilence(tx, roomId, targetId, until, userId)
    })
    return until
  }

  async unsilence(ctx: AuthenticatedContext, roomId: number, targetId: number): Promise<void> {
    const { userId } = ctx.actor
    await this.#rooms.transaction('room_unsilence', ctx.requestId, async (tx) => {
      await lockAbove(tx, roomId, userId, targetId)
      if (await tx.sanctions.unsilence(roomId, targetId))
        await announceSilence(tx, roomId, targetId, null, userId)
    })
  }

  /** Bans a user, who need not be a member. */
  async ban(ctx: AuthenticatedContext, roomId: number, targetId: number): Promise<void> {
    const { userId } = ctx.actor
    await this.#rooms.transaction('room_ban', ctx.requestId, async (tx) => {
      const { role } = await lockGroup(tx, roomId, userId, 'remove')
      const targetRole = await tx.roleOf(roomId, targetId)
      if (targetRole && !mayRemove(role, targetRole)) throw roleRequired('set_role')
      if ((await tx.sanctions.bannedAmong(roomId, [targetId])).length > 0) return
      if (targetRole) {
        const member = { userId: targetId, role: targetRole }
        await takeOut(tx, roomId, member, { reason: 'removed', changedBy: userId })
      }
      await tx.sanctions.noteRemoval(roomId, targetId, userId, new Date(), true)
      await tx.audit({ roomId, actorId: userId, action: 'member_banned', targetId })
    })
  }

  async unban(ctx: AuthenticatedContext, roomId: number, targetId: number): Promise<void> {
    const { userId } = ctx.actor
    await this.#rooms.transaction('room_unban', ctx.requestId, async (tx) => {
      await lockGroup(tx, roomId, userId, 'remove')
      if (await tx.sanctions.unban(roomId, targetId))
        await tx.audit({ roomId, actorId: userId, action: 'member_unbanned', targetId })
    })
  }

  async listBans(userId: number, roomId: number, { limit, cursor }: PageQuery) {
    const after = decodeCursor(position, cursor) ?? 0
    await this.#requireAdmin(userId, roomId)
    const bans = await this.#store.bans(roomId, after, limit)
    const names = await this.#names.names(
      bans.map((ban) => ban.userId),
      userId,
    )
    return toPage(
      bans,
      limit,
      (ban) => ban.userId,
      (ban): RoomBan => ({
        user_id: ban.userId,
        username: names.get(ban.userId)!.username,
        display_name: names.get(ban.userId)!.displayName,
        banned_by: ban.bannedBy,
        banned_at: ban.bannedAt.toISOString(),
      }),
    )
  }

  async listAudit(userId: number, roomId: number, { limit, cursor }: PageQuery) {
    const before = decodeCursor(position, cursor)
    await this.#requireAdmin(userId, roomId)
    return toPage(
      await this.#store.audit(roomId, before, limit),
      limit,
      ({ id }) => id,
      ({ id, action, actorId, targetId, detail, createdAt }) => ({
        ...{ audit_id: id, action, actor_id: actorId, target_id: targetId, detail },
        created_at: createdAt.toISOString(),
      }),
    )
  }

  async #requireAdmin(userId: number, roomId: number): Promise<void> {
    const membership = await this.#membership.require(roomId, userId)
    assertGroup(membership)
    if (!roleAllows(membership.role, 'read_audit')) throw roleRequired('read_audit')
  }
}

/** Locks the group for a user whose role is above the member's. @throws Problem MEMBER_NOT_FOUND, ROLE_REQUIRED */
async function lockAbove(
  tx: RoomTransaction,
  roomId: number,
  userId: number,
  targetId: number,
): Promise<void> {
  const { role } = await lockGroup(tx, roomId, userId, 'remove')
  const targetRole = await tx.roleOf(roomId, targetId)
  if (!targetRole) throw new Problem('MEMBER_NOT_FOUND')
  if (!mayRemove(role, targetRole)) throw roleRequired('set_role')
}

async function announceSilence(
  tx: RoomTransaction,
  roomId: number,
  targetId: number,
  until: Date | null,
  actorId: number,
): Promise<void> {
  const silenced_until = until?.toISOString() ?? null
  await tx.publish(roomMemberSilenced, {
    room_id: roomId,
    user_id: targetId,
    silenced_until,
    changed_by: actorId,
  })
  const action = until ? 'member_silenced' : 'member_unsilenced'
  await tx.audit({ roomId, actorId, action, targetId, detail: silenced_until })
}
