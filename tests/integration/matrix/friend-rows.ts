import { expect } from 'vitest'
import { http, newPerson, stack } from '../../e2e/stack.ts'
import { everybody, ownersOnly, type Row } from './row.ts'
import { askForFriendship, type Scene } from './scene.ts'

const newInvite = async ({ as }: Scene) => (await as('owner')('POST', `${stack.friend}/friends/invites`)).body
const ofInvite = (_scene: Scene, _role: unknown, { token }: { token: string }) => ({ params: { token } })

const notTheirs = 'FRIEND_REQUEST_NOT_FOUND'

/** In this order: a later row goes on from what the ones before it made of two people. */
export const friendRows: readonly Row[] = [
  {
    operationId: 'sendFriendRequest',
    // To the blocked one the account does not exist.
    table: everybody(201, { friend: 'ALREADY_FRIENDS', owner: 'FRIEND_SELF', blocked: 'USER_NOT_FOUND' }),
    request: ({ people }) => ({ body: { target_user_id: people.owner.id } }),
  },
  {
    operationId: 'sendFriendRequest',
    when: 'there is no such user',
    table: everybody('USER_NOT_FOUND'),
    request: () => ({ body: { target_user_id: 987_654_321 } }),
  },
  {
    operationId: 'sendFriendRequest',
    when: 'the receiver takes none',
    table: everybody('FRIEND_REQUESTS_CLOSED'),
    once: async () => {
      const { id, token } = await newPerson()
      const json = { requests_from: 'nobody' }
      await http('PUT', `${stack.friend}/friends/settings`, { token, json })
      return { id }
    },
    request: (_scene, _role, { id }) => ({ body: { target_user_id: id } }),
  },
  { operationId: 'createFriendInvite', table: everybody(201) },
  {
    operationId: 'getFriendInvite',
    table: everybody(200, { blocked: 'INVITE_INVALID' }),
    once: newInvite,
    request: ofInvite,
    missing: { token: 'INVITE_INVALID' },
  },
  {
    operationId: 'acceptFriendInvite',
    // They have asked the owner above, or are friends.
    table: everybody('FRIEND_REQUEST_EXISTS', {
      friend: 'ALREADY_FRIENDS',
      owner: 'FRIEND_SELF',
      blocked: 'INVITE_INVALID',
    }),
    once: newInvite,
    request: ofInvite,
    missing: { token: 'INVITE_INVALID' },
  },
  {
    operationId: 'acceptFriendInvite',
    when: 'its owner is new',
    table: everybody(201),
    once: async () => {
      const { token } = await newPerson()
      return (await http('POST', `${stack.friend}/friends/invites`, { token })).body
    },
    request: ofInvite,
  },
  { operationId: 'revokeFriendInvites', table: everybody(204) },
  { operationId: 'getFriendSettings', table: everybody(200) },
  {
    operationId: 'updateFriendSettings',
    table: everybody(200),
    request: () => ({ body: { requests_from: 'everyone' } }),
  },
  {
    operationId: 'updateFriend',
    table: everybody('FRIENDSHIP_NOT_FOUND', { friend: 200 }),
    request: ({ people }) => ({ params: { user_id: people.owner.id }, body: { favourite: true } }),
    missing: { user_id: 'FRIENDSHIP_NOT_FOUND' },
  },
  {
    operationId: 'listFriendRequests',
    table: everybody(200),
    check: ({ body }, { people }, role) => {
      if (role !== 'owner') return expect(body.items).toEqual([])
      const from = body.items.map((item: { from_user_id: number }) => item.from_user_id)
      const { stranger, moderator, removed, member, admin } = people
      expect(from.sort()).toEqual([stranger, moderator, removed, member, admin].map(({ id }) => id).sort())
    },
  },
  {
    operationId: 'cancelFriendRequest',
    table: ownersOnly(204, notTheirs),
    once: async ({ people, other }) => ({ id: await askForFriendship(people.owner, other) }),
    request: (_scene, _role, { id }) => ({ params: { id } }),
  },
  {
    operationId: 'rejectFriendRequest',
    table: ownersOnly(200, notTheirs),
    once: async ({ people, target }) => ({ id: await askForFriendship(target, people.owner) }),
    request: (_scene, _role, { id }) => ({ params: { id } }),
  },
  {
    operationId: 'acceptFriendRequest',
    table: ownersOnly(200, notTheirs),
    once: async ({ people, other }) => ({ id: await askForFriendship(other, people.owner) }),
    request: (_scene, _role, { id }) => ({ params: { id } }),
  },
  { operationId: 'listFriendChanges', table: everybody(200) },
  {
    operationId: 'listFriends',
    table: everybody(200),
    check: ({ body }, { people, other }, role) => {
      const ids = body.items.map((item: { user_id: number }) => item.user_id)
      if (role === 'owner') expect(ids.sort()).toEqual([people.friend.id, other.id].sort())
      else expect(ids).toEqual(role === 'friend' ? [people.owner.id] : [])
    },
  },
  {
    operationId: 'listFriendSuggestions',
    table: everybody(200),
    check: ({ body }, { other }, role) =>
      expect(body.items.map((item: { user_id: number }) => item.user_id)).toEqual(
        role === 'friend' ? [other.id] : [],
      ),
  },
  {
    operationId: 'removeFriend',
    table: ownersOnly(204, 'FRIENDSHIP_NOT_FOUND'),
    request: ({ other }) => ({ params: { user_id: other.id } }),
    missing: { user_id: 'FRIENDSHIP_NOT_FOUND' },
  },
  {
    operationId: 'blockUser',
    table: everybody(204),
    request: ({ other }) => ({ params: { user_id: other.id } }),
    missing: { user_id: 'USER_NOT_FOUND' },
  },
  {
    operationId: 'listBlockedUsers',
    table: everybody(200),
    check: ({ body }, { people, other }, role) =>
      expect(body.items.map((item: { user_id: number }) => item.user_id)).toEqual(
        role === 'owner' ? [other.id, people.blocked.id] : [other.id],
      ),
  },
  {
    operationId: 'unblockUser',
    table: everybody(204),
    request: ({ other }) => ({ params: { user_id: other.id } }),
    missing: { user_id: null },
  },
  {
    operationId: 'restrictUser',
    table: everybody(204),
    request: ({ other }) => ({ params: { user_id: other.id } }),
    missing: { user_id: 'USER_NOT_FOUND' },
  },
  {
    operationId: 'listRestrictedUsers',
    table: everybody(200),
    check: ({ body }, { other }) =>
      expect(body.items.map((item: { user_id: number }) => item.user_id)).toEqual([other.id]),
  },
  {
    operationId: 'unrestrictUser',
    table: everybody(204),
    request: ({ other }) => ({ params: { user_id: other.id } }),
    missing: { user_id: null },
  },
  { operationId: 'exportFriends', table: everybody(200) },
]
