import { type RoomMember, roomDeleted, roomMembersChanged, roomRoleChanged } from '@bigtech/contracts'
import { type AuthenticatedContext, decodeCursor, Problem, toPage } from '@bigtech/service-kit'
import { z } from 'zod'
import type { MembershipReader, Role } from '../membership/membership.ports.ts'
import { FOREVER } from '../membership/membership.ts'
import type { RoomHeads } from '../messages/messages.ports.ts'
import { mayRemove, nextOwner, roomLimits } from './room.ts'
import {
  assertGroup,
  historyStartOf,
  lockGroup,
  notAddable,
  recentHead,
  roleRequired,
} from './room-authorization.ts'
import { type Names, toPerson } from './room-list.service.ts'
import type { RoomTransaction } from './room-transaction.repository.ts'
import type { ListedMember, MemberPosition } from './rooms.repository.ts'
import type { ContactPolicy, RoomTransactions } from './rooms.service.ts'

interface MemberStore extends RoomTransactions {
  members(roomId: number, after: MemberPosition | undefined, limit: number): Promise<ListedMember[]>
}

interface MembershipStore {
  present(roomId: number, userIds: readonly number[]): Promise<number[]>
  roomIdsOf(userId: number): Promise<number[]>
}

export interface MemberServiceOptions {
  readonly rooms: MemberStore
  readonly memberships: MembershipStore
  readonly membership: Pick<MembershipReader, 'require'>
  readonly contacts: Pick<ContactPolicy, 'refusedFor'>
  readonly names: Names
  readonly heads: Pick<RoomHeads, 'headSeq'>
}

const cursorSchema = z.tuple([z.int().min(0).max(FOREVER.getTime()), z.int().positive()])

/** Operations on the members of rooms and their roles. */
export class MemberService {
  readonly #options: MemberServiceOptions

  constructor(options: MemberServiceOptions) {
    this.#options = options
  }

  async listRoomMembers(
    userId: number,
    roomId: number,
    query: { limit: number; cursor?: string | undefined },
  ): Promise<{ items: RoomMember[]; next_cursor: string | null }> {
    const { membership, rooms, names } = this.#options
    const cursor = decodeCursor(cursorSchema, query.cursor)
    await membership.require(roomId, userId)
    const after = cursor && { joinedAt: new Date(cursor[0]), userId: cursor[1] }
    const members = await rooms.members(roomId, after, query.limit)
    const people = await names.names(
      members.map((member) => member.userId),
      userId,
    )
    return toPage(
      members,
      query.limit,
      (member) => [member.joinedAt.getTime(), member.userId],
      (member) => ({
        ...toPerson(people.get(member.userId)!),
        role: member.role,
        joined_at: member.joinedAt.toISOString(),
        silenced_until: member.silencedUntil?.toISOString() ?? null,
      }),
    )
  }

  /** Adds all users or none. */
  async inviteRoomMembers(
    ctx: AuthenticatedContext,
    roomId: number,
    listed: readonly number[],
  ): Promise<{ added: number[]; memberCount: number }> {
    const { membership, memberships, rooms, contacts, heads } = this.#options
    const { userId } = ctx.actor
    assertGroup(await membership.require(roomId, userId))
    const wanted = [...new Set(listed)].filter((id) => id !== userId)
    const already = new Set(await memberships.present(roomId, wanted))
    const strangers = wanted.filter((id) => !already.has(id))
    const refused = strangers.length > 0 ? await contacts.refusedFor(userId, strangers) : []
    if (refused.length > 0) throw notAddable(listed, refused)
    const head = await recentHead(roomId, heads)
    return rooms.transaction('room_invite', ctx.requestId, async (tx) => {
      const room = await lockGroup(tx, roomId, userId, 'invite')
      const present = new Set(await tx.present(roomId, strangers))
      const added = strangers.filter((id) => !present.has(id))
      const banned = await tx.sanctions.bannedAmong(roomId, added)
      if (banned.length > 0) throw notAddable(listed, banned)
      const memberCount = room.memberCount + added.length
      if (added.length === 0) return { added, memberCount }
      if (memberCount > roomLimits.members) throw new Problem('ROOM_FULL')
      const start = await historyStartOf(room, heads, head)
      const members = added.map((id) => ({ userId: id, role: 'member' as const, ...start }))
      const over = await tx.addMembers(roomId, members, new Date())
      if (over.length > 0) throw notAddable(listed, over)
      await tx.publish(roomMembersChanged, {
        room_id: roomId,
        added,
        removed: [],
        changed_by: userId,
        reason: 'invited',
      })
      return { added, memberCount }
    })
  }

  async leaveRoom(ctx: AuthenticatedContext, roomId: number): Promise<void> {
    const { userId } = ctx.actor
    await this.#options.rooms.transaction('room_leave', ctx.requestId, async (tx) => {
      const { role } = await lockGroup(tx, roomId, userId, 'leave')
      await takeOut(tx, roomId, { userId, role }, { reason: 'left', changedBy: userId })
    })
  }

  async removeRoomMember(ctx: AuthenticatedContext, roomId: number, targetId: number): Promise<void> {
    const { userId } = ctx.actor
    if (targetId === userId) return this.leaveRoom(ctx, roomId)
    await this.#options.rooms.transaction('room_remove_member', ctx.requestId, async (tx) => {
      const { role } = await lockGroup(tx, roomId, userId, 'remove')
      const targetRole = await tx.roleOf(roomId, targetId)
      if (!targetRole) throw new Problem('MEMBER_NOT_FOUND')
      if (!mayRemove(role, targetRole)) throw roleRequired('set_role')
      await takeOut(
        tx,
        roomId,
        { userId: targetId, role: targetRole },
        { reason: 'removed', changedBy: userId },
      )
      await tx.sanctions.noteRemoval(roomId, targetId, userId, new Date())
      await tx.audit({ roomId, actorId: userId, action: 'member_removed', targetId })
    })
  }

  async setRoomRole(ctx: AuthenticatedContext, roomId: number, targetId: number, role: Role): Promise<void> {
    const { userId } = ctx.actor
    await this.#options.rooms.transaction('room_set_role', ctx.requestId, async (tx) => {
      await lockGroup(tx, roomId, userId, 'set_role')
      const before = await tx.roleOf(roomId, targetId)
      if (!before) throw new Problem('MEMBER_NOT_FOUND')
      if (before === role) return
      // A room always has an owner: the role is transferred, never dropped.
      if (targetId === userId)
        throw new Problem('ROLE_REQUIRED', { detail: 'Transfer ownership to another member first.' })
      await changeRole(tx, roomId, targetId, role, userId)
      if (role === 'owner') await changeRole(tx, roomId, userId, 'admin', userId)
      await tx.audit({ roomId, actorId: userId, action: 'role_changed', targetId, detail: role })
    })
  }

  /** Removes a deleted account from every room, direct ones too. Idempotent and resumable. */
  async leaveAllRooms(userId: number, correlationId: string): Promise<void> {
    const { memberships, rooms } = this.#options
    for (;;) {
      // Queried again, because an in-flight request of the user may have added a room.
      const roomIds = await memberships.roomIdsOf(userId)
      if (roomIds.length === 0) break
      for (const roomId of roomIds) {
        await rooms.transaction('room_leave_deleted', correlationId, async (tx) => {
          const room = await tx.lock(roomId)
          const role = await tx.roleOf(roomId, userId)
          if (!room || !role) return
          const why = { reason: 'account_deleted' as const, changedBy: userId }
          if (room.roomType === 'group') await takeOut(tx, roomId, { userId, role }, why)
          else await announceRemoval(tx, roomId, userId, why)
        })
      }
    }
    await rooms.transaction('room_forget_user', correlationId, (tx) => tx.forgetUser(userId))
  }
}

interface Why {
  readonly reason: 'left' | 'removed' | 'account_deleted'
  readonly changedBy: number
}

/** Removes a member from a locked group; transfers ownership if needed, or deletes the empty room. */
export async function takeOut(
  tx: RoomTransaction,
  roomId: number,
  member: { userId: number; role: Role },
  why: Why,
): Promise<void> {
  await announceRemoval(tx, roomId, member.userId, why)
  if (member.role !== 'owner') return
  const heir = nextOwner(await tx.candidates(roomId))
  if (heir) return changeRole(tx, roomId, heir.userId, 'owner', why.changedBy)
  await tx.deleteRoom(roomId, new Date())
  await tx.publish(roomDeleted, { room_id: roomId, deleted_by: member.userId, member_ids: [] })
}

async function announceRemoval(
  tx: RoomTransaction,
  roomId: number,
  userId: number,
  { reason, changedBy }: Why,
): Promise<void> {
  await tx.removeMember(roomId, userId)
  await tx.publish(roomMembersChanged, {
    room_id: roomId,
    added: [],
    removed: [userId],
    changed_by: changedBy,
    reason,
  })
}

async function changeRole(
  tx: RoomTransaction,
  roomId: number,
  userId: number,
  role: Role,
  changedBy: number,
): Promise<void> {
  await tx.setRole(roomId, userId, role)
  await tx.publish(roomRoleChanged, { room_id: roomId, user_id: userId, role, changed_by: changedBy })
}
