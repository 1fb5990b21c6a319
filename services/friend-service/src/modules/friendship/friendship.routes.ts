import {
  acceptFriendRequest,
  blockUser,
  cancelFriendRequest,
  exportFriends,
  listBlockedUsers,
  listFriendRequests,
  listFriendSuggestions,
  listFriends,
  rejectFriendRequest,
  removeFriend,
  sendFriendRequest,
  unblockUser,
} from '@bigtech/contracts'
import { type AuthenticatedContext, type Limit, type RateLimiter, route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { FriendListsService } from './friend-lists.service.ts'
import type { FriendshipService } from './friendship.service.ts'

export const friendshipRoutes: FastifyPluginAsync<{
  friendships: FriendshipService
  lists: FriendListsService
  limiter: RateLimiter
  actionsPerHour: number
}> = async (app, { friendships, lists, limiter, actionsPerHour }) => {
  // Both actions answer 404 for unknown ids and put known ones into a list with their names: without a limit they
  // would read out every profile.
  const actions: Limit = { name: 'friend_actions', max: actionsPerHour, windowSeconds: 3_600 }
  const takeAction = ({ actor }: AuthenticatedContext) => limiter.take(actions, actor.userId)
  route(app, sendFriendRequest, async ({ body }, ctx) => {
    await takeAction(ctx)
    return friendships.sendFriendRequest(ctx, body.target_user_id)
  })
  route(app, acceptFriendRequest, ({ params }, ctx) => friendships.acceptFriendRequest(ctx, params.id))
  route(app, rejectFriendRequest, ({ params }, ctx) => friendships.rejectFriendRequest(ctx, params.id))
  route(app, cancelFriendRequest, async ({ params }, ctx) => {
    await friendships.cancelFriendRequest(ctx, params.id)
    return undefined
  })
  route(app, removeFriend, async ({ params }, ctx) => {
    await friendships.removeFriend(ctx, params.user_id)
    return undefined
  })
  route(app, blockUser, async ({ params }, ctx) => {
    await takeAction(ctx)
    await friendships.blockUser(ctx, params.user_id)
    return undefined
  })
  route(app, unblockUser, async ({ params }, ctx) => {
    await friendships.unblockUser(ctx, params.user_id)
    return undefined
  })
  route(app, listFriends, ({ query }, ctx) => lists.listFriends(ctx, query))
  route(app, listFriendRequests, ({ query }, ctx) => lists.listFriendRequests(ctx, query))
  route(app, listBlockedUsers, ({ query }, ctx) => lists.listBlockedUsers(ctx, query))
  route(app, listFriendSuggestions, ({ query }, ctx) => lists.listFriendSuggestions(ctx, query))
  route(app, exportFriends, (_input, ctx) => lists.exportFriends(ctx))
}
