import {
  friendRemoved,
  friendRequestAccepted,
  friendRequestCancelled,
  friendRequestRejected,
  friendRequestSent,
  onlineStatusChanged,
  roomUpdated,
  type StreamFrameData,
  userBlocked,
  userRestricted,
  userUnblocked,
  userUnrestricted,
} from '@bigtech/contracts'
import { on, type Subscription } from '@bigtech/kafka'
import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { frame } from './frames.ts'
import type { RoomChannels } from './room-channels.ts'
import type { StreamHub } from './stream-hub.ts'

export interface LiveRelations {
  presenceViewersOf(userId: number): Promise<readonly number[]>
  mayMessage(userId: number, peerId: number): Promise<boolean>
}

export interface LiveEventsOptions {
  readonly hub: StreamHub
  readonly channels: RoomChannels
  readonly relations: LiveRelations
}

type FriendEvent = StreamFrameData<'friend'>['event']
type Visibility = 'everyone' | 'friends' | 'nobody'

/** Sends events of other services to the streams of this process. Every process handles every event. */
export function liveStreamHandlers({ hub, channels, relations }: LiveEventsOptions): Subscription[] {
  /** Users who hide their presence do not see that of others. */
  const visibility = new LRUCache<number, Visibility>(upToEntries(200_000))

  const send = (userId: number, event: FriendEvent, other: number, request_id: number | null = null) => {
    const sessions = hub.of(userId)
    if (sessions.length === 0) return
    const block = frame('friend', { event, user_id: other, request_id })
    for (const session of sessions) session.send(block)
  }

  /** Sends what a friend receives when the user hides their presence from everyone. */
  const hidePresence = (userId: number, viewerId: number) => {
    if (visibility.get(userId) === 'nobody' || visibility.get(viewerId) === 'nobody') return
    const block = frame('presence', { user_id: userId, online: null, last_seen_at: null })
    for (const session of hub.of(viewerId)) session.send(block)
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
      // A request that was cancelled by a block must not reveal the block.
      if (reason === 'blocked') return
      send(to, 'request_cancelled', from, request_id)
      send(from, 'request_cancelled', to, request_id)
    }),
    // Only to the other devices of the user who rejected: a rejection is silent.
    on(friendRequestRejected, async ({ from_user_id: from, to_user_id: to, request_id }) =>
      send(to, 'request_rejected', from, request_id),
    ),
    on(friendRemoved, async ({ user_id, friend_id }) => {
      send(user_id, 'removed', friend_id)
      send(friend_id, 'removed', user_id)
    }),
    // Only to the other devices of the user who did it.
    on(userBlocked, async ({ blocker_id, blocked_id }) => send(blocker_id, 'blocked', blocked_id)),
    on(userUnblocked, async ({ blocker_id, blocked_id }) => send(blocker_id, 'unblocked', blocked_id)),
    on(userRestricted, async ({ restricter_id: restricter, restricted_id: restricted }) => {
      send(restricter, 'restricted', restricted)
      if (hub.size === 0 || !(await relations.mayMessage(restricter, restricted))) return
      hidePresence(restricter, restricted)
      hidePresence(restricted, restricter)
    }),
    on(userUnrestricted, async ({ restricter_id, restricted_id }) =>
      send(restricter_id, 'unrestricted', restricted_id),
    ),
    on(onlineStatusChanged, async (event) => {
      const { user_id, online, last_seen_at } = event
      visibility.set(user_id, event.visibility)
      if (hub.size === 0) return
      const shown = event.visibility !== 'nobody'
      const block = frame('presence', {
        user_id,
        online: shown ? online : null,
        last_seen_at: shown ? last_seen_at : null,
      })
      for (const friendId of await relations.presenceViewersOf(user_id)) {
        if (visibility.get(friendId) === 'nobody') continue
        for (const session of hub.of(friendId)) session.send(block)
      }
    }),
    on(roomUpdated, async ({ room_id }) => {
      channels.get(room_id)?.broadcast(frame('room_updated', { room_id, members: null }))
    }),
  ]
}
