import { expect } from 'vitest'
import { stack } from '../../e2e/stack.ts'
import { admins, everybody, members, ownerAlone, type Row } from './row.ts'
import type { Scene } from './scene.ts'

const inRoom = ({ room }: Scene) => ({ params: { room_id: room } })
const onTarget = ({ room, target }: Scene) => ({ params: { room_id: room, user_id: target.id } })

const banned = ({ other }: Scene, _role: unknown, { group }: { group: number }) => ({
  params: { room_id: group, user_id: other.id },
})

/** What ends a group is tried by its owner last. */
const freshGroup = async ({ newGroup }: Scene) => ({ group: await newGroup() })

export const roomRows: readonly Row[] = [
  {
    operationId: 'createRoom',
    // Adding somebody who wants no strangers takes a friend.
    table: everybody('MEMBER_NOT_ADDABLE', { friend: 201, owner: 201 }),
    request: ({ people }) => ({ body: { member_ids: [people.owner.id] } }),
  },
  {
    operationId: 'openDirectRoom',
    table: everybody('DIRECT_MESSAGE_REFUSED', { friend: 200 }),
    request: ({ people }) => ({ params: { user_id: people.owner.id } }),
    missing: { user_id: 'DIRECT_MESSAGE_REFUSED' },
  },
  {
    operationId: 'listRooms',
    table: everybody(200),
    check: ({ body }, { room }, role) =>
      expect(body.items.some((item: { room_id: number }) => item.room_id === room)).toBe(
        ['member', 'admin', 'owner'].includes(role),
      ),
  },
  { operationId: 'getRoom', table: members(200), request: inRoom },
  {
    operationId: 'updateRoom',
    table: admins(200),
    request: (scene) => ({ ...inRoom(scene), body: { name: '새 이름' } }),
  },
  {
    operationId: 'updateRoom',
    when: 'the room is a 1:1 room',
    table: members('ROOM_IS_DIRECT', {
      friend: 'ROOM_IS_DIRECT',
      member: 'NOT_A_MEMBER',
      admin: 'NOT_A_MEMBER',
    }),
    request: ({ directRoom }) => ({ params: { room_id: directRoom }, body: { name: '새 이름' } }),
  },
  {
    operationId: 'deleteRoom',
    table: ownerAlone(204),
    once: freshGroup,
    request: (_scene, _role, { group }) => ({ params: { room_id: group } }),
  },
  {
    operationId: 'updateRoomSettings',
    table: members(200),
    request: (scene) => ({ ...inRoom(scene), body: { pinned: true } }),
  },
  { operationId: 'getReceiverSettings', table: everybody(200) },
  {
    operationId: 'updateReceiverSettings',
    table: everybody(200),
    request: (_scene, role) => ({
      body: { strangers_may_add: ['member', 'admin', 'removed'].includes(role) },
    }),
  },
  { operationId: 'exportChatData', table: everybody(200) },
  { operationId: 'listRoomMembers', table: members(200), request: inRoom },
  {
    operationId: 'inviteRoomMembers',
    table: members('MEMBER_NOT_ADDABLE', { owner: 200 }),
    once: freshGroup,
    request: ({ people }, _role, { group }) => ({
      params: { room_id: group },
      body: { member_ids: [people.friend.id] },
    }),
  },
  {
    operationId: 'removeRoomMember',
    table: admins(204),
    before: async ({ as, room, target }) =>
      as('owner')('POST', `${stack.chat}/rooms/${room}/members`, { member_ids: [target.id] }),
    request: onTarget,
    missing: { user_id: 'MEMBER_NOT_FOUND' },
  },
  {
    operationId: 'setRoomRole',
    table: ownerAlone(200),
    before: async ({ as, room, target }) =>
      as('owner')('POST', `${stack.chat}/rooms/${room}/members`, { member_ids: [target.id] }),
    request: (scene) => ({ ...onTarget(scene), body: { role: 'member' } }),
    missing: { user_id: 'MEMBER_NOT_FOUND' },
  },
  {
    operationId: 'leaveRoom',
    table: members(204),
    once: freshGroup,
    request: (_scene, _role, { group }) => ({ params: { room_id: group } }),
  },
  {
    operationId: 'createJoinLink',
    table: admins(201),
    request: (scene) => ({ ...inRoom(scene), body: { max_uses: 5 } }),
  },
  { operationId: 'listJoinLinks', table: admins(200), request: inRoom },
  {
    operationId: 'revokeJoinLink',
    table: admins(204),
    before: async ({ as, room }) => (await as('owner')('POST', `${stack.chat}/rooms/${room}/links`, {})).body,
    request: (scene, _role, { link_id }) => ({ params: { room_id: scene.room, link_id } }),
    missing: { link_id: 'JOIN_LINK_INVALID' },
  },
  {
    operationId: 'joinRoom',
    table: everybody(200, { removed: 'JOIN_LINK_INVALID' }),
    once: async ({ as, newGroup }) =>
      (await as('owner')('POST', `${stack.chat}/rooms/${await newGroup()}/links`, {})).body,
    request: (_scene, _role, { token }) => ({ params: { token } }),
  },
  {
    operationId: 'silenceRoomMember',
    table: admins(200),
    before: async ({ as, room, target }) =>
      as('owner')('POST', `${stack.chat}/rooms/${room}/members`, { member_ids: [target.id] }),
    request: (scene) => ({ ...onTarget(scene), body: { minutes: 5 } }),
    missing: { user_id: 'MEMBER_NOT_FOUND' },
  },
  {
    operationId: 'unsilenceRoomMember',
    table: admins(204),
    request: onTarget,
    missing: { user_id: 'MEMBER_NOT_FOUND' },
  },
  { operationId: 'listRoomBans', table: admins(200), request: inRoom },
  // A user may be banned before joining; the response does not reveal whether the user exists.
  {
    operationId: 'banFromRoom',
    table: admins(204),
    once: freshGroup,
    request: banned,
    missing: { user_id: null },
  },
  {
    operationId: 'unbanFromRoom',
    table: admins(204),
    once: freshGroup,
    request: banned,
    missing: { user_id: null },
  },
  { operationId: 'listRoomAudit', table: admins(200), request: inRoom },
  {
    operationId: 'markRead',
    table: members(200),
    request: (scene) => ({ ...inRoom(scene), body: { seq: 1 } }),
  },
  { operationId: 'listReadPositions', table: members(200), request: inRoom },
  { operationId: 'sendTyping', table: members(204), request: inRoom },
  { operationId: 'createStreamTicket', table: everybody(201), request: () => ({ body: {} }) },
  { operationId: 'openStream', table: everybody(200) },
  {
    operationId: 'acknowledgeStream',
    table: everybody(204),
    request: () => ({ body: { stream_id: '0199a8a0-0000-7000-8000-000000000000.1' } }),
  },
]
