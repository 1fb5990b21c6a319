import { waitFor } from '@bigtech/testkit'
import { expect } from 'vitest'
import { stack } from '../../e2e/stack.ts'
import { everybody, members, type Row, type Table } from './row.ts'
import type { Scene } from './scene.ts'

const onMessage = ({ room, messageId }: Scene) => ({ params: { room_id: room, message_id: messageId } })
const onReaction = (scene: Scene) => ({ params: { ...onMessage(scene).params, emoji: '👍' } })
/** The author of the message is the owner of the group. */
const author: Partial<Table> = { member: 'FORBIDDEN', admin: 'FORBIDDEN' }
const inDirect = (friend: Table['friend'], owner: Table['owner']) =>
  members('NOT_A_MEMBER', { friend, owner })

export const messageRows: readonly Row[] = [
  {
    operationId: 'sendMessage',
    table: members(201),
    request: ({ room }) => ({ params: { room_id: room }, body: { content: '안녕하세요!' } }),
  },
  {
    operationId: 'sendMessage',
    when: 'the room is the 1:1 room of two friends',
    table: inDirect(201, 201),
    request: ({ directRoom }) => ({ params: { room_id: directRoom }, body: { content: '안녕하세요!' } }),
  },
  {
    operationId: 'sendMessage',
    when: 'the room is the 1:1 room of a blocked pair',
    table: members('NOT_A_MEMBER', { blocked: 'DIRECT_MESSAGE_REFUSED', owner: 'DIRECT_MESSAGE_REFUSED' }),
    request: ({ severedRoom }) => ({ params: { room_id: severedRoom }, body: { content: '안녕하세요!' } }),
  },
  {
    operationId: 'listMessages',
    table: members(200),
    request: ({ room }) => ({ params: { room_id: room } }),
  },
  {
    operationId: 'listMessages',
    when: 'the room is the 1:1 room of a blocked pair',
    table: members('NOT_A_MEMBER', { blocked: 200, owner: 200 }),
    request: ({ severedRoom }) => ({ params: { room_id: severedRoom } }),
  },
  { operationId: 'getMessage', table: members(200), request: onMessage },
  {
    operationId: 'editMessage',
    table: members(200, author),
    request: (scene) => ({ ...onMessage(scene), body: { content: '고쳤어요' } }),
  },
  { operationId: 'listMessageVersions', table: members(200), request: onMessage },
  { operationId: 'addReaction', table: members(200), request: onReaction },
  { operationId: 'removeReaction', table: members(200), request: onReaction },
  { operationId: 'pinMessage', table: members(200), request: onMessage },
  { operationId: 'listPins', table: members(200), request: ({ room }) => ({ params: { room_id: room } }) },
  { operationId: 'unpinMessage', table: members(200), request: onMessage },
  {
    operationId: 'forwardMessage',
    table: members(201),
    request: (scene) => ({ ...onMessage(scene), body: { room_ids: [scene.room] } }),
  },
  {
    operationId: 'forwardMessage',
    when: 'to a room that is not the caller’s',
    table: members('NOT_A_MEMBER', { owner: 201 }),
    request: (scene) => ({ ...onMessage(scene), body: { room_ids: [scene.directRoom] } }),
  },
  {
    operationId: 'searchMessages',
    table: everybody(200),
    request: () => ({ query: { q: '안녕하세요' } }),
    // The search follows about a second behind.
    once: async ({ as, room }) => {
      const found = `${stack.chat}/messages/search?q=${encodeURIComponent('안녕하세요')}&room_id=${room}`
      await waitFor(async () => (await as('owner')('GET', found)).body.items.length > 0)
      return {}
    },
    check: ({ body }, { room }, role) =>
      expect(body.items.some((item: { room_id: number }) => item.room_id === room)).toBe(
        ['member', 'admin', 'owner'].includes(role),
      ),
  },
  {
    operationId: 'searchMessages',
    when: 'in one room',
    table: members(200),
    request: ({ room }) => ({ query: { q: '안녕', room_id: room } }),
  },
  {
    operationId: 'deleteMessage',
    // Admins moderate; the message is the owner's.
    table: members(200, { member: 'FORBIDDEN' }),
    before: async ({ newMessage, room }) => ({ messageId: await newMessage(room, 'owner') }),
    request: ({ room }, _role, { messageId }) => ({ params: { room_id: room, message_id: messageId } }),
  },
  {
    operationId: 'deleteMessage',
    when: 'for oneself',
    table: members(200),
    before: async ({ newMessage, room }) => ({ messageId: await newMessage(room, 'owner') }),
    request: ({ room }, _role, { messageId }) => ({
      params: { room_id: room, message_id: messageId },
      query: { for: 'me' },
    }),
  },
]
