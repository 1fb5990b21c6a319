import { createHash, randomBytes } from 'node:crypto'
import { roomMembersChanged } from '@bigtech/contracts'
import { type AuthenticatedContext, decodeCursor, Problem, toPage } from '@bigtech/service-kit'
import { z } from 'zod'
import type { MembershipReader } from '../membership/membership.ports.ts'
import type { RoomHeads } from '../messages/messages.ports.ts'
import type { JoinLinkRecord } from './links.repository.ts'
import { roleAllows, roomLimits } from './room.ts'
import { assertGroup, historyStartOf, lockGroup, recentHead, roleRequired } from './room-authorization.ts'
import type { RoomTransaction } from './room-transaction.repository.ts'
import type { RoomTransactions } from './rooms.service.ts'

interface LinkStore {
  find(tokenHash: Uint8Array<ArrayBuffer>): Promise<JoinLinkRecord | undefined>
  list(roomId: number, before: number | undefined, limit: number, at: Date): Promise<JoinLinkRecord[]>
  insert(
    tx: RoomTransaction,
    link: Omit<JoinLinkRecord, 'linkId' | 'uses'> & { tokenHash: Uint8Array<ArrayBuffer> },
    maxLinks: number,
  ): Promise<number | undefined>
  delete(tx: RoomTransaction, roomId: number, linkId: number): Promise<boolean>
  use(tx: RoomTransaction, linkId: number, at: Date): Promise<boolean>
}

export interface LinkServiceOptions {
  readonly rooms: RoomTransactions
  readonly links: LinkStore
  readonly membership: Pick<MembershipReader, 'require'>
  readonly heads: Pick<RoomHeads, 'headSeq'>
}

const TOKEN_BYTES = 18

/** Links for joining a group without an invitation. */
export class LinkService {
  readonly #options: LinkServiceOptions

  constructor(options: LinkServiceOptions) {
    this.#options = options
  }

  /** Creates a link. Only the hash of the token is stored. */
  async createJoinLink(
    ctx: AuthenticatedContext,
    roomId: number,
    input: { expires_in_seconds?: number | null | undefined; max_uses?: number | null | undefined },
  ): Promise<JoinLinkRecord & { token: string }> {
    const { userId } = ctx.actor
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const createdAt = new Date()
    const link = {
      roomId,
      createdBy: userId,
      createdAt,
      expiresAt: input.expires_in_seconds
        ? new Date(createdAt.getTime() + input.expires_in_seconds * 1_000)
        : null,
      maxUses: input.max_uses ?? null,
    }
    const linkId = await this.#options.rooms.transaction('link_create', ctx.requestId, async (tx) => {
      await lockGroup(tx, roomId, userId, 'manage_links')
      const id = await this.#options.links.insert(tx, { ...link, tokenHash: hashOf(token) }, roomLimits.links)
      if (id !== undefined) await tx.audit({ roomId, actorId: userId, action: 'link_created' })
      return id
    })
    if (linkId === undefined) throw new Problem('JOIN_LINK_LIMIT')
    return { ...link, linkId, uses: 0, token }
  }

  async listJoinLinks(
    userId: number,
    roomId: number,
    query: { limit: number; cursor?: string | undefined },
  ): Promise<{ items: JoinLinkRecord[]; next_cursor: string | null }> {
    const before = decodeCursor(z.int().positive(), query.cursor)
    const membership = await this.#options.membership.require(roomId, userId)
    assertGroup(membership)
    if (!roleAllows(membership.role, 'manage_links')) throw roleRequired('manage_links')
    const links = await this.#options.links.list(roomId, before, query.limit, new Date())
    return toPage(
      links,
      query.limit,
      (link) => link.linkId,
      (link) => link,
    )
  }

  async revokeJoinLink(ctx: AuthenticatedContext, roomId: number, linkId: number): Promise<void> {
    await this.#options.rooms.transaction('link_revoke', ctx.requestId, async (tx) => {
      await lockGroup(tx, roomId, ctx.actor.userId, 'manage_links')
      if (!(await this.#options.links.delete(tx, roomId, linkId))) throw new Problem('JOIN_LINK_INVALID')
      await tx.audit({ roomId, actorId: ctx.actor.userId, action: 'link_revoked' })
    })
  }

  /** Joins by the link's token. Returns the room's id. */
  async joinRoom(ctx: AuthenticatedContext, token: string): Promise<number> {
    const { rooms, links, heads } = this.#options
    const { userId } = ctx.actor
    // Includes links the caller has used up, because the response may have been lost and the call is a retry.
    const link = await links.find(hashOf(token))
    if (!link) throw new Problem('JOIN_LINK_INVALID')
    const { roomId, linkId } = link
    const head = await recentHead(roomId, heads)
    await rooms.transaction('link_join', ctx.requestId, async (tx) => {
      const room = await tx.lock(roomId)
      if (!room) throw new Problem('JOIN_LINK_INVALID')
      const standing = await tx.standing(roomId, userId)
      if (standing === 'member') return
      // Same response as for an expired link, so that a removed member cannot tell.
      if (standing === 'removed') throw new Problem('JOIN_LINK_INVALID')
      const at = new Date()
      if (!(await links.use(tx, linkId, at))) throw new Problem('JOIN_LINK_INVALID')
      if (room.memberCount >= roomLimits.members) throw new Problem('ROOM_FULL')
      const start = await historyStartOf(room, heads, head)
      const over = await tx.addMembers(roomId, [{ userId, role: 'member', ...start }], at)
      if (over.length > 0) throw new Problem('ROOM_LIMIT')
      await tx.publish(roomMembersChanged, {
        room_id: roomId,
        added: [userId],
        removed: [],
        changed_by: userId,
        reason: 'joined',
      })
    })
    return roomId
  }
}

function hashOf(token: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(token).digest())
}
