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
import { route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { FriendListsService } from './friend-lists.service.ts'
import type { FriendshipService } from './friendship.service.ts'

export const friendshipRoutes: FastifyPluginAsync<{
  friendships: FriendshipService
  lists: FriendListsService
}> = async (app, { friendships, lists }) => {
  route(app, sendFriendRequest, ({ body }, ctx) => friendships.sendFriendRequest(ctx, body.target_user_id))
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
