import {
  getMyProfile,
  getRoom,
  getUsers,
  listFriendRequests,
  listFriends,
  listPins,
  listRooms,
  type Room,
} from '@bigtech/client'
import { useQuery } from '@tanstack/react-query'
import { call } from './api.ts'
import { allPages, keys, useChat } from './chat.ts'
import { requests } from './first-screen.ts'

/** Returns the room list in order, kept current by frames. */
export function useRooms() {
  const chat = useChat()
  return useQuery({ queryKey: keys.rooms, queryFn: chat.fetchRooms, staleTime: Number.POSITIVE_INFINITY })
}

export function useArchivedRooms() {
  const fetchAll = () =>
    allPages((cursor) => call(listRooms, { query: { limit: 100, archived: 'true', ...cursor } }))
  return useQuery({ queryKey: keys.archived, queryFn: fetchAll })
}

/** Returns the number of unread messages of all rooms that are neither muted, restricted nor archived. */
export function useUnreadTotal(): number {
  const rooms = useRooms().data ?? []
  return rooms.reduce((sum, room) => sum + (room.muted || room.restricted ? 0 : room.unread_count), 0)
}

/** Returns names by user id; deleted accounts have none. */
export function useNames(userIds: readonly number[]): ReadonlyMap<number, string> | undefined {
  return useQuery({
    queryKey: ['names', ...userIds],
    queryFn: async () => {
      const { items } = await call(getUsers, { query: { user_ids: userIds.join() } })
      return new Map(items.map(({ user_id, display_name }) => [user_id, display_name]))
    },
    enabled: userIds.length > 0,
  }).data
}

/** Returns a room from the list if present, otherwise fetches it. */
export function useRoom(roomId: number): { room: Room | undefined; error: unknown; retry: () => void } {
  const rooms = useRooms()
  const listed = rooms.data?.find(({ room_id }) => room_id === roomId)
  const alone = useQuery({
    queryKey: keys.room(roomId),
    queryFn: () => call(getRoom, { params: { room_id: roomId } }),
    enabled: rooms.data !== undefined && listed === undefined,
    retry: false,
  })
  return {
    room: listed ?? alone.data,
    error: rooms.data ? alone.error : rooms.error,
    retry: () => void (rooms.data ? alone.refetch() : rooms.refetch()),
  }
}

/** Returns all members of a room, in the order of joining. */
export function useMembers(roomId: number) {
  const fetchAll = () => allPages((cursor) => call(...requests.members(roomId, cursor)))
  return useQuery({ queryKey: keys.members(roomId), queryFn: fetchAll })
}

export function usePins(roomId: number) {
  const fetchPins = async () => (await call(listPins, { params: { room_id: roomId } })).items
  return useQuery({ queryKey: keys.pins(roomId), queryFn: fetchPins })
}

/** Returns all friends, hidden ones last. */
export function useFriends() {
  const fetchPart = (show: 'visible' | 'hidden') =>
    allPages((cursor) => call(listFriends, { query: { limit: 100, sort: 'name', show, ...cursor } }))
  const fetchAll = async () => (await Promise.all([fetchPart('visible'), fetchPart('hidden')])).flat()
  return useQuery({ queryKey: keys.friends, queryFn: fetchAll })
}

export function useIncomingRequests() {
  return useRequests('incoming')
}

export function useRequests(direction: 'incoming' | 'outgoing') {
  const fetchAll = () =>
    allPages((cursor) => call(listFriendRequests, { query: { limit: 100, direction, ...cursor } }))
  return useQuery({ queryKey: keys.requests(direction), queryFn: fetchAll })
}

export function useProfile() {
  return useQuery({ queryKey: keys.profile, queryFn: () => call(getMyProfile, {}) })
}
