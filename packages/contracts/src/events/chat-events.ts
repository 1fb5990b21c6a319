import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { defineEvent } from './define-event.ts'

const byRoom = (event: { room_id: number }) => String(event.room_id)

export const roomType = z.enum(['direct', 'group'])

export const roomCreated = defineEvent({
  type: 'RoomCreated',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    room_type: roomType,
    name: z.string().nullable(),
    /** Of a group that was opened with a picture. */
    image_url: z.string().nullable().optional(),
    created_by: userId,
    member_ids: z.array(userId),
  }),
})

export const roomMembersChanged = defineEvent({
  type: 'RoomMembersChanged',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    added: z.array(userId),
    removed: z.array(userId),
    changed_by: userId,
    reason: z.enum(['invited', 'joined', 'left', 'removed', 'account_deleted']),
  }),
})

export const roomUpdated = defineEvent({
  type: 'RoomUpdated',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    name: z.string().nullable(),
    image_url: z.string().nullable(),
    changed_by: userId,
    /** What of it changed; the rest is repeated as it is. */
    changed: z.array(z.enum(['name', 'image_url', 'history_visibility'])).optional(),
  }),
})

/** One member's role, as it is now. A hand-over is two of these, the new owner's first. */
export const roomRoleChanged = defineEvent({
  type: 'RoomRoleChanged',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    user_id: userId,
    role: z.enum(['owner', 'admin', 'member']),
    changed_by: userId,
  }),
})

/** Who may write in a room, and how often, as it is now. */
export const roomRulesChanged = defineEvent({
  type: 'RoomRulesChanged',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    posting: z.enum(['everyone', 'admins']),
    slow_mode_seconds: z.int().min(0),
    changed_by: userId,
    changed: z.array(z.enum(['posting', 'slow_mode_seconds'])),
  }),
})

/** A member may write nothing until then, or, with null, may write again. */
export const roomMemberSilenced = defineEvent({
  type: 'RoomMemberSilenced',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    user_id: userId,
    silenced_until: timestamp.nullable(),
    changed_by: userId,
  }),
})

export const roomDeleted = defineEvent({
  type: 'RoomDeleted',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    deleted_by: userId,
    /** Who was in it until then. */
    member_ids: z.array(userId).optional(),
  }),
})

/** One member's own settings of a room, for those who must respect them (pushes). */
export const roomMuteChanged = defineEvent({
  type: 'RoomMuteChanged',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    user_id: userId,
    muted: z.boolean(),
    /** When the mute is over by itself: no event tells of that. Null or missing: it stays. */
    muted_until: timestamp.nullable().optional(),
  }),
})

/**
 * A user's number of open streams on one process of chat-service changed. user-service merges
 * presence from it; notification-service learns who is looking.
 */
export const streamPresenceChanged = defineEvent({
  type: 'StreamPresenceChanged',
  version: 1,
  topic: 'chat.presence',
  key: (event) => String(event.user_id),
  payload: z.object({
    user_id: userId,
    /** The process that holds the streams: a user may be connected to several. */
    instance_id: z.string(),
    open_streams: z.int().min(0),
  }),
})

/** Repeated every 25 s by each process for all its connected users, at most 1,000 an event: without it they count as gone after 60 s. */
export const streamsAlive = defineEvent({
  type: 'StreamsAlive',
  version: 1,
  topic: 'chat.presence',
  key: (event) => event.instance_id,
  payload: z.object({ instance_id: z.string(), user_ids: z.array(userId).min(1).max(1_000) }),
})

/** Everything chat-service held of a deleted account is gone or anonymous: a step of the account's deletion. */
export const chatDataErased = defineEvent({
  type: 'ChatDataErased',
  version: 1,
  topic: 'chat.events',
  key: (event) => String(event.user_id),
  payload: z.object({ user_id: userId, deletion_id: z.uuid() }),
})
