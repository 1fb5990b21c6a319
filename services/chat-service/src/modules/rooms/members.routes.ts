import {
  createJoinLink,
  inviteRoomMembers,
  joinRoom,
  leaveRoom,
  listJoinLinks,
  listRoomMembers,
  removeRoomMember,
  revokeJoinLink,
  setRoomRole,
} from '@bigtech/contracts'
import { type Limit, route } from '@bigtech/service-kit'
import type { FastifyInstance } from 'fastify'
import type { JoinLinkRecord } from './links.repository.ts'
import type { LinkService } from './links.service.ts'
import type { MemberService } from './members.service.ts'
import type { RoomListService } from './room-list.service.ts'
import type { Limiter } from './rooms.routes.ts'

const limits = {
  members: { name: 'room_members', max: 120, windowSeconds: 60 },
  links: { name: 'room_links', max: 30, windowSeconds: 60 },
  // Tokens cannot be guessed; the limit bounds the cost of trying.
  join: { name: 'room_join', max: 30, windowSeconds: 60 },
} as const satisfies Record<string, Limit>

export interface MemberRoutesOptions {
  readonly members: MemberService
  readonly links: LinkService
  readonly list: RoomListService
  readonly limiter: Limiter
}

/** Registers the routes of members and join links. */
export async function memberRoutes(app: FastifyInstance, options: MemberRoutesOptions): Promise<void> {
  const { members, limiter } = options
  route(app, listRoomMembers, ({ params, query }, ctx) =>
    members.listRoomMembers(ctx.actor.userId, params.room_id, query),
  )
  route(app, inviteRoomMembers, async ({ params, body }, ctx) => {
    await limiter.take(limits.members, ctx.actor.userId)
    const { added, memberCount } = await members.inviteRoomMembers(ctx, params.room_id, body.member_ids)
    return { room_id: params.room_id, added, member_count: memberCount }
  })
  route(app, removeRoomMember, async ({ params }, ctx) => {
    await limiter.take(limits.members, ctx.actor.userId)
    await members.removeRoomMember(ctx, params.room_id, params.user_id)
    return undefined
  })
  route(app, leaveRoom, async ({ params }, ctx) => {
    await limiter.take(limits.members, ctx.actor.userId)
    await members.leaveRoom(ctx, params.room_id)
    return undefined
  })
  route(app, setRoomRole, async ({ params, body }, ctx) => {
    await limiter.take(limits.members, ctx.actor.userId)
    await members.setRoomRole(ctx, params.room_id, params.user_id, body.role)
    return { ...params, role: body.role }
  })
  linkRoutes(app, options)
}

function linkRoutes(app: FastifyInstance, { links, list, limiter }: MemberRoutesOptions): void {
  route(app, createJoinLink, async ({ params, body }, ctx) => {
    await limiter.take(limits.links, ctx.actor.userId)
    const { token, ...link } = await links.createJoinLink(ctx, params.room_id, body)
    return { ...toWire(link), token }
  })
  route(app, listJoinLinks, async ({ params, query }, ctx) => {
    const page = await links.listJoinLinks(ctx.actor.userId, params.room_id, query)
    return { ...page, items: page.items.map(toWire) }
  })
  route(app, revokeJoinLink, async ({ params }, ctx) => {
    await links.revokeJoinLink(ctx, params.room_id, params.link_id)
    return undefined
  })
  route(app, joinRoom, async ({ params }, ctx) => {
    await limiter.take(limits.join, ctx.actor.userId)
    return list.roomAfterChange(ctx.actor.userId, await links.joinRoom(ctx, params.token))
  })
}

function toWire(link: JoinLinkRecord) {
  return {
    link_id: link.linkId,
    room_id: link.roomId,
    created_by: link.createdBy,
    created_at: link.createdAt.toISOString(),
    expires_at: link.expiresAt?.toISOString() ?? null,
    max_uses: link.maxUses,
    uses: link.uses,
  }
}
