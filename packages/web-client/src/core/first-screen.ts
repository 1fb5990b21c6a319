import { listMessages, listReadPositions, listRoomMembers, listRooms } from '@bigtech/client'
import { ahead } from './api.ts'

export const HISTORY_PAGE = 50

type Cursor = { cursor?: string }
type Position = { around_seq?: number; before_seq?: number; after_seq?: number }

/** Operation and input of requests sent both ahead and by the first screen, which must be equal. */
export const requests = {
  rooms: (cursor: Cursor = {}) => [listRooms, { query: { limit: 100, ...cursor } }] as const,
  members: (roomId: number, cursor: Cursor = {}) =>
    [listRoomMembers, { params: { room_id: roomId }, query: { limit: 100, ...cursor } }] as const,
  messages: (roomId: number, position: Position = {}) =>
    [listMessages, { params: { room_id: roomId }, query: { limit: HISTORY_PAGE, ...position } }] as const,
  readPositions: (roomId: number) => [listReadPositions, { params: { room_id: roomId } }] as const,
}

/** Requests the data of the first screen while the code that shows it is being loaded. */
export function requestFirstScreen({ pathname, search }: { pathname: string; search: string }): void {
  ahead.start(...requests.rooms())
  const roomId = Number(/^\/(?:rooms|archived)\/(\d+)/.exec(pathname)?.[1])
  if (!roomId) return
  ahead.start(...requests.members(roomId))
  ahead.start(...requests.readPositions(roomId))
  const isAtMessage = new URLSearchParams(search).has('at')
  if (!isAtMessage) ahead.start(...requests.messages(roomId))
}
