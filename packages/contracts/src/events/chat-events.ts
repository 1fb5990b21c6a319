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
    /** Names the changed fields; every field carries its current value. */
    changed: z.array(z.enum(['name', 'image_url', 'history_visibility'])).optional(),
  }),
})

/** A member's new role. Transferring ownership publishes two events, the new owner's first. */
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

/** The current rules of a room: who may write, and how often. */
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

/** A member is muted in the room until `silenced_until`, or unmuted when it is null. */
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
    /** The members at the time of the deletion. */
    member_ids: z.array(userId).optional(),
  }),
})

/** One member's settings of a room, for services that must respect them (push notifications). */
export const roomMuteChanged = defineEvent({
  type: 'RoomMuteChanged',
  version: 1,
  topic: 'chat.events',
  key: byRoom,
  payload: z.object({
    room_id: roomId,
    user_id: userId,
    muted: z.boolean(),
    /** When the mute expires; no event announces the expiry. Null or missing: it does not expire. */
    muted_until: timestamp.nullable().optional(),
  }),
})

/**
 * A user opened the first stream on one process of chat-service, or closed the last one. user-service merges
 * this into presence; notification-service learns which users have an open stream. When many users connect at
 * once, `StreamsAlive` names them instead.
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
    /** 0 after the last one was closed. */
    open_streams: z.int().min(0),
  }),
})

/**
 * Heartbeat of the users connected to one process, every 25 s and when many connect at once, at most 1,000 users an event: a user without a
 * heartbeat counts as disconnected after 60 s.
 */
export const streamsAlive = defineEvent({
  type: 'StreamsAlive',
  version: 1,
  topic: 'chat.presence',
  key: (event) => event.instance_id,
  payload: z.object({ instance_id: z.string(), user_ids: z.array(userId).min(1).max(1_000) }),
})

/** chat-service has erased or anonymised its data of a deleted account: one step of the deletion. */
export const chatDataErased = defineEvent({
  type: 'ChatDataErased',
  version: 1,
  topic: 'chat.events',
  key: (event) => String(event.user_id),
  payload: z.object({ user_id: userId, deletion_id: z.uuid() }),
})
