import {
  pairKey,
  roomCreated,
  roomDeleted,
  roomMuteChanged,
  roomRulesChanged,
  roomUpdated,
} from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { MembershipReader, RoomRules } from '../membership/membership.ports.ts'
import { FOREVER, muteAt } from '../membership/membership.ts'
import { lockGroup, notAddable } from './room-authorization.ts'
import { claimRoomPicture, type RoomPictures } from './room-picture.ts'
import type { HistoryVisibility, RoomRecord } from './room-record.ts'
import { type MemberSettings, type RoomTransaction, wholeHistory } from './room-transaction.repository.ts'

/** Runs a change of rooms together with its events, atomically. */
export interface RoomTransactions {
  transaction<Result>(
    operation: string,
    correlationId: string,
    work: (tx: RoomTransaction) => Promise<Result>,
  ): Promise<Result>
}

/** Decides which users may share a room. */
export interface ContactPolicy {
  refusedFor(userId: number, otherIds: readonly number[]): Promise<number[]>
  areFriendsByNow(userId: number, peerId: number): Promise<boolean>
}

export interface RoomServiceOptions {
  readonly rooms: RoomTransactions & { directRoomId(directKey: string): Promise<number | undefined> }
  readonly contacts: ContactPolicy
  readonly membership: Pick<MembershipReader, 'require'>
  readonly pictures: RoomPictures
  readonly countCreated: (roomType: 'direct' | 'group') => void
}

export interface SettingsChange {
  readonly muted?: boolean | undefined
  readonly muted_until?: string | null | undefined
  readonly pinned?: boolean | undefined
  readonly archived?: boolean | undefined
}

/** Operations on rooms and on a member's own view of a room. */
export class RoomService {
  readonly #options: RoomServiceOptions

  constructor(options: RoomServiceOptions) {
    this.#options = options
  }

  /** Creates a group owned by its creator. Returns its id. */
  async createRoom(
    ctx: AuthenticatedContext,
    input: {
      name?: string | null | undefined
      pictureFileId?: string | null | undefined
      member_ids: readonly number[]
      history_visibility: HistoryVisibility
    },
  ): Promise<number> {
    const { userId } = ctx.actor
    const others = [...new Set(input.member_ids)].filter((id) => id !== userId)
    if (others.length > 0) {
      const refused = await this.#options.contacts.refusedFor(userId, others)
      if (refused.length > 0) throw notAddable(input.member_ids, refused)
    }
    const name = input.name ?? null
    const picture = await claimRoomPicture(this.#options.pictures, ctx, input.pictureFileId)
    if (picture.refusal) throw picture.refusal
    const imageUrl = picture.url ?? null
    const at = new Date()
    const roomId = await this.#options.rooms.transaction('room_create', ctx.requestId, async (tx) => {
      const id = await tx.insertGroup({
        name,
        imageUrl,
        historyVisibility: input.history_visibility,
        createdBy: userId,
        at,
      })
      const owner = { userId, role: 'owner' as const, ...wholeHistory }
      const members = others.map((other) => ({ userId: other, role: 'member' as const, ...wholeHistory }))
      const over = await tx.addMembers(id, [owner, ...members], at)
      if (over.includes(userId)) throw new Problem('ROOM_LIMIT')
      if (over.length > 0) throw notAddable(input.member_ids, over)
      const member_ids = [userId, ...others]
      await tx.publish(roomCreated, {
        ...{ room_id: id, room_type: 'group', name, created_by: userId, member_ids },
        ...(imageUrl === null ? {} : { image_url: imageUrl }),
      })
      return id
    })
    this.#options.countCreated('group')
    ctx.log.info({ room_id: roomId, members: others.length + 1 }, 'room created')
    return roomId
  }

  /** Gets or creates the 1:1 room of two friends. Returns its id. */
  async openDirectRoom(ctx: AuthenticatedContext, peerId: number): Promise<number> {
    const { userId } = ctx.actor
    const refused = peerId === userId || !(await this.#options.contacts.areFriendsByNow(userId, peerId))
    if (refused) throw new Problem('DIRECT_MESSAGE_REFUSED')
    return this.ensureDirectRoom(userId, peerId, ctx.requestId)
  }

  /** Gets or creates the room of a pair without checking whether they may message each other. */
  async ensureDirectRoom(userId: number, peerId: number, correlationId: string): Promise<number> {
    const { rooms, countCreated } = this.#options
    const directKey = pairKey(userId, peerId)
    const known = await rooms.directRoomId(directKey)
    if (known !== undefined) return known
    const at = new Date()
    const created = await rooms.transaction('room_open_direct', correlationId, async (tx) => {
      const id = await tx.insertDirect(directKey, userId, at)
      if (id === undefined) return undefined
      const member_ids = [userId, peerId]
      const members = member_ids.map((each) => ({ userId: each, role: 'member' as const, ...wholeHistory }))
      const over = await tx.addMembers(id, members, at)
      if (over.length > 0) throw new Problem('ROOM_LIMIT')
      await tx.publish(roomCreated, {
        room_id: id,
        room_type: 'direct',
        name: null,
        created_by: userId,
        member_ids,
      })
      return id
    })
    if (created !== undefined) {
      countCreated('direct')
      return created
    }
    const winner = await rooms.directRoomId(directKey)
    if (winner === undefined) throw new Error('the direct room neither exists nor was inserted')
    return winner
  }

  async updateRoom(
    ctx: AuthenticatedContext,
    roomId: number,
    change: {
      name?: string | null | undefined
      pictureFileId?: string | null | undefined
      history_visibility?: HistoryVisibility | undefined
      posting?: RoomRules['posting'] | undefined
      slow_mode_seconds?: number | undefined
    },
  ): Promise<void> {
    const { userId } = ctx.actor
    const picture = await claimRoomPicture(this.#options.pictures, ctx, change.pictureFileId)
    await this.#options.rooms.transaction('room_update', ctx.requestId, async (tx) => {
      const before = await lockGroup(tx, roomId, userId, 'update')
      const after = {
        name: change.name === undefined ? before.name : change.name,
        imageUrl: picture.url === undefined ? before.imageUrl : picture.url,
        historyVisibility: change.history_visibility ?? before.historyVisibility,
        rules: {
          posting: change.posting ?? before.rules.posting,
          slowModeSeconds: change.slow_mode_seconds ?? before.rules.slowModeSeconds,
        },
      }
      // An admin may send back another admin's picture unchanged, and a missing permission is reported before a refused picture.
      if (picture.refusal && after.imageUrl !== before.imageUrl) throw picture.refusal
      const changed = [
        ...(after.name === before.name ? [] : (['name'] as const)),
        ...(after.imageUrl === before.imageUrl ? [] : (['image_url'] as const)),
        ...(after.historyVisibility === before.historyVisibility ? [] : (['history_visibility'] as const)),
      ]
      const changedRules = [
        ...(after.rules.posting === before.rules.posting ? [] : (['posting'] as const)),
        ...(after.rules.slowModeSeconds === before.rules.slowModeSeconds
          ? []
          : (['slow_mode_seconds'] as const)),
      ]
      if (changed.length + changedRules.length === 0) return
      await tx.updateRoom(roomId, after)
      await auditUpdate(tx, { roomId, actorId: userId }, after, [...changed, ...changedRules])
      if (changed.length > 0)
        await tx.publish(roomUpdated, {
          room_id: roomId,
          name: after.name,
          image_url: after.imageUrl,
          changed_by: userId,
          changed,
        })
      if (changedRules.length > 0) {
        await tx.noteRulesChanged(roomId)
        await tx.publish(roomRulesChanged, {
          room_id: roomId,
          posting: after.rules.posting,
          slow_mode_seconds: after.rules.slowModeSeconds,
          changed_by: userId,
          changed: changedRules,
        })
      }
    })
  }

  async deleteRoom(ctx: AuthenticatedContext, roomId: number): Promise<void> {
    const { userId } = ctx.actor
    await this.#options.rooms.transaction('room_delete', ctx.requestId, async (tx) => {
      await lockGroup(tx, roomId, userId, 'delete')
      const member_ids = await tx.deleteRoom(roomId, new Date())
      await tx.publish(roomDeleted, { room_id: roomId, deleted_by: userId, member_ids })
    })
    ctx.log.info({ room_id: roomId }, 'room deleted')
  }

  async updateRoomSettings(
    ctx: AuthenticatedContext,
    roomId: number,
    change: SettingsChange,
  ): Promise<MemberSettings> {
    const { userId } = ctx.actor
    await this.#options.membership.require(roomId, userId)
    const now = new Date()
    return this.#options.rooms.transaction('room_settings', ctx.requestId, async (tx) => {
      const before = await tx.settingsOf(roomId, userId)
      if (!before) throw new Problem('NOT_A_MEMBER')
      const after = settingsAfter(before, change, now)
      await tx.saveSettings(roomId, userId, after)
      const mute = muteAt(after.mutedUntil, now)
      const muteBefore = muteAt(before.mutedUntil, now)
      if (
        mute.muted !== muteBefore.muted ||
        mute.mutedUntil?.getTime() !== muteBefore.mutedUntil?.getTime()
      ) {
        await tx.publish(roomMuteChanged, {
          room_id: roomId,
          user_id: userId,
          muted: mute.muted,
          muted_until: mute.mutedUntil?.toISOString() ?? null,
        })
      }
      return after
    })
  }
}

/** Writes one audit entry for each changed field. */
async function auditUpdate(
  tx: RoomTransaction,
  entry: { roomId: number; actorId: number },
  { name, historyVisibility, rules }: Pick<RoomRecord, 'name' | 'historyVisibility' | 'rules'>,
  changed: readonly ('name' | 'image_url' | 'history_visibility' | 'posting' | 'slow_mode_seconds')[],
): Promise<void> {
  const entries = {
    name: { action: 'name_changed', detail: name },
    image_url: { action: 'picture_changed', detail: null },
    history_visibility: { action: 'history_changed', detail: historyVisibility },
    posting: { action: 'posting_changed', detail: rules.posting },
    slow_mode_seconds: { action: 'slow_mode_changed', detail: String(rules.slowModeSeconds) },
  } as const
  for (const part of changed) await tx.audit({ ...entry, ...entries[part] })
}

/** Returns the settings after a change: omitted fields stay; pinning or archiving again keeps the first time. */
function settingsAfter(before: MemberSettings, change: SettingsChange, now: Date): MemberSettings {
  const since = (wanted: boolean | undefined, was: Date | null) =>
    wanted === undefined ? was : wanted ? (was ?? now) : null
  const mutedUntil =
    change.muted === undefined
      ? before.mutedUntil
      : change.muted
        ? change.muted_until
          ? new Date(change.muted_until)
          : FOREVER
        : null
  return {
    mutedUntil,
    pinnedAt: since(change.pinned, before.pinnedAt),
    archivedAt: since(change.archived, before.archivedAt),
  }
}
