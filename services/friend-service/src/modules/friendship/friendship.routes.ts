import {
  acceptFriendRequest,
  blockUser,
  cancelFriendRequest,
  exportFriends,
  getFriendSettings,
  listBlockedUsers,
  listFriendChanges,
  listFriendRequests,
  listFriendSuggestions,
  listFriends,
  listRestrictedUsers,
  rejectFriendRequest,
  removeFriend,
  restrictUser,
  sendFriendRequest,
  unblockUser,
  unrestrictUser,
  updateFriend,
  updateFriendSettings,
} from '@bigtech/contracts'
import { type AuthenticatedContext, type Limit, Problem, type RateLimiter, route } from '@bigtech/service-kit'
import type { FastifyPluginAsync } from 'fastify'
import type { FriendListsService } from './friend-lists.service.ts'
import type { FriendNotesRepository } from './friend-notes.repository.ts'
import type { FriendshipService } from './friendship.service.ts'

export const friendshipRoutes: FastifyPluginAsync<{
  friendships: FriendshipService
  lists: FriendListsService
  limiter: RateLimiter
  notes: FriendNotesRepository
  onCommitted: () => void
  actionsPerHour: number
}> = async (app, { friendships, lists, notes, onCommitted, limiter, actionsPerHour }) => {
  // These actions return 404 for unknown ids and list known ones with their names: without a limit they would
  // disclose every profile.
  const actions: Limit = { name: 'friend_actions', max: actionsPerHour, windowSeconds: 3_600 }
  const takeAction = ({ actor }: AuthenticatedContext) => limiter.take(actions, actor.userId)
  route(app, sendFriendRequest, async ({ body }, ctx) => {
    await takeAction(ctx)
    return friendships.sendFriendRequest(ctx, body.target_user_id, body.message)
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
  route(app, updateFriend, async ({ params, body }, ctx) => {
    const note = await notes.change(ctx.actor.userId, params.user_id, body, ctx.requestId)
    if (!note) throw new Problem('FRIENDSHIP_NOT_FOUND')
    onCommitted()
    return { user_id: params.user_id, ...note }
  })
  route(app, getFriendSettings, async (_input, ctx) => ({
    requests_from: await notes.requestsFrom(ctx.actor.userId),
  }))
  route(app, updateFriendSettings, async ({ body }, ctx) => {
    await notes.setRequestsFrom(ctx.actor.userId, body.requests_from)
    return body
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
  route(app, restrictUser, async ({ params }, ctx) => {
    await takeAction(ctx)
    await friendships.restrictUser(ctx, params.user_id)
    return undefined
  })
  route(app, unrestrictUser, async ({ params }, ctx) => {
    await friendships.unrestrictUser(ctx, params.user_id)
    return undefined
  })
  route(app, listFriends, ({ query }, ctx) => lists.listFriends(ctx, query))
  route(app, listFriendChanges, ({ query }, ctx) => lists.listFriendChanges(ctx, query.since))
  route(app, listFriendRequests, ({ query }, ctx) => lists.listFriendRequests(ctx, query))
  route(app, listBlockedUsers, ({ query }, ctx) => lists.listBlockedUsers(ctx, query))
  route(app, listRestrictedUsers, ({ query }, ctx) => lists.listRestrictedUsers(ctx, query))
  route(app, listFriendSuggestions, ({ query }, ctx) => lists.listFriendSuggestions(ctx, query))
  route(app, exportFriends, (_input, ctx) => lists.exportFriends(ctx))
}
