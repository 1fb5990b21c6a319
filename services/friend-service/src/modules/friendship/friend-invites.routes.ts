import {
  acceptFriendInvite,
  createFriendInvite,
  getFriendInvite,
  revokeFriendInvites,
} from '@bigtech/contracts'
import { type AuthenticatedContext, type Limit, Problem, type RateLimiter, route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { FriendInvitesRepository } from './friend-invites.repository.ts'
import type { FriendListsService } from './friend-lists.service.ts'
import type { FriendshipService } from './friendship.service.ts'

const limits = {
  create: { name: 'friend_invites', max: 60, windowSeconds: 3_600 },
  // Tokens cannot be guessed; the limit bounds the cost of trying.
  use: { name: 'friend_invite_use', max: 60, windowSeconds: 3_600 },
} as const satisfies Record<string, Limit>

/** Registers the routes of friend invite links. */
export const friendInviteRoutes: FastifyPluginAsync<{
  invites: FriendInvitesRepository
  friendships: FriendshipService
  lists: FriendListsService
  limiter: RateLimiter
  now: () => number
}> = async (app, { invites, friendships, lists, limiter, now }) => {
  const ownerOf = async (token: string, { actor }: AuthenticatedContext) => {
    await limiter.take(limits.use, actor.userId)
    const ownerId = await invites.ownerOf(token, actor.userId, now())
    if (ownerId === undefined) throw new Problem('INVITE_INVALID')
    return ownerId
  }
  route(app, createFriendInvite, async (_input, { actor }) => {
    await limiter.take(limits.create, actor.userId)
    const { token, expiresAt } = await invites.create(actor.userId, now())
    return { token, expires_at: expiresAt.toISOString() }
  })
  route(app, revokeFriendInvites, async (_input, { actor }) => {
    await invites.revoke(actor.userId)
    return undefined
  })
  route(app, getFriendInvite, async ({ params }, ctx) =>
    lists.describeOne(ctx, await ownerOf(params.token, ctx)),
  )
  route(app, acceptFriendInvite, async ({ params }, ctx) => {
    const ownerId = await ownerOf(params.token, ctx)
    return friendships.sendFriendRequest(ctx, ownerId, null, { isInvited: true }).catch((err: unknown) => {
      // Blocked or deleted in the meantime: same response as for an expired link.
      throw err instanceof Problem && err.code === 'USER_NOT_FOUND' ? new Problem('INVITE_INVALID') : err
    })
  })
}
