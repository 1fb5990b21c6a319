import {
  friendRemoved,
  friendRequestAccepted,
  friendRequestCancelled,
  friendRequestSent,
  onlineStatusChanged,
  roomUpdated,
  type StreamFrameData,
  userBlocked,
  userUnblocked,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { LRUCache } from 'lru-cache'
import { frame } from './frames.ts'
import type { StreamRegistry } from './registry.ts'
import type { RoomFeeds } from './room-feeds.ts'

export interface LiveEventsOptions {
  readonly registry: StreamRegistry
  readonly feeds: RoomFeeds
  readonly friendIdsOf: (userId: number) => Promise<readonly number[]>
}

type FriendEvent = StreamFrameData<'friend'>['event']
type Visibility = 'everyone' | 'friends' | 'nobody'

/** What goes from other topics into the streams of this process; every process takes all of it. */
export function liveStreamHandlers({ registry, feeds, friendIdsOf }: LiveEventsOptions): Subscription[] {
  /** Whoever hides their presence does not see that of others. */
  const visibility = new LRUCache<number, Visibility>({ max: 200_000 })

  const send = (userId: number, event: FriendEvent, other: number, request_id: number | null = null) => {
    const connections = registry.of(userId)
    if (connections.length === 0) return
    const block = frame('friend', { event, user_id: other, request_id })
    for (const connection of connections) connection.send(block)
  }

  return [
    on(friendRequestSent, async ({ from_user_id: from, to_user_id: to, request_id }) => {
      send(to, 'request_received', from, request_id)
      send(from, 'request_sent', to, request_id)
    }),
    on(friendRequestAccepted, async ({ from_user_id: from, to_user_id: to, request_id }) => {
      send(to, 'accepted', from, request_id)
      send(from, 'accepted', to, request_id)
    }),
    on(friendRequestCancelled, async ({ from_user_id: from, to_user_id: to, request_id, reason }) => {
      // A request that a block took away must not tell of the block.
      if (reason === 'blocked') return
      send(to, 'request_cancelled', from, request_id)
      send(from, 'request_cancelled', to, request_id)
    }),
    on(friendRemoved, async ({ user_id, friend_id }) => {
      send(user_id, 'removed', friend_id)
      send(friend_id, 'removed', user_id)
    }),
    // Only to the one who did it, on their other devices.
    on(userBlocked, async ({ blocker_id, blocked_id }) => send(blocker_id, 'blocked', blocked_id)),
    on(userUnblocked, async ({ blocker_id, blocked_id }) => send(blocker_id, 'unblocked', blocked_id)),
    on(onlineStatusChanged, async (event) => {
      const { user_id, online, last_seen_at } = event
      visibility.set(user_id, event.visibility)
      if (registry.size === 0) return
      const shown = event.visibility !== 'nobody'
      const block = frame('presence', {
        user_id,
        online: shown ? online : null,
        last_seen_at: shown ? last_seen_at : null,
      })
      for (const friendId of await friendIdsOf(user_id)) {
        if (visibility.get(friendId) === 'nobody') continue
        for (const connection of registry.of(friendId)) connection.send(block)
      }
    }),
    on(roomUpdated, async ({ room_id }) => {
      feeds.get(room_id)?.broadcast(frame('room_updated', { room_id, members: null }))
    }),
  ]
}
