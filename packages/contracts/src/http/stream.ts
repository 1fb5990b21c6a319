import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { opaqueText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { message } from './message-shapes.ts'
import { idParam } from './paging.ts'
import { readPosition } from './read-state.ts'

/** The heads of a room's two logs: messages by `seq`, changes of messages by `cseq`. */
export const roomHead = z.object({ room_id: roomId, seq: z.int().min(0), cseq: z.int().min(0) })
export type RoomHeadPosition = z.infer<typeof roomHead>

export const resetReason = z.enum(['new', 'cursor_invalid', 'too_old', 'too_many'])

const heads = z.array(roomHead)

/** Every frame of the stream: the name of the SSE event and the schema of its data. */
export const streamFrames = {
  /** First frame of a resumed stream: the missed frames follow. `rooms` are all rooms of the user. */
  ready: z.object({ stream_id: z.string(), rooms: heads }),
  /** First frame of any other stream: discard the local state, fetch it again, then continue from `rooms`. */
  reset: z.object({ stream_id: z.string(), reason: resetReason, rooms: heads }),
  /** Sent every 15 s. A client behind one of the heads has missed a frame: fetch with `after_seq`. */
  heartbeat: z.object({ at: timestamp, heads }),
  message: z.object({ room_id: roomId, seq: z.int().positive(), message }),
  /** An edit, a deletion, a reaction or a pin: the whole current message. */
  message_updated: z.object({
    room_id: roomId,
    cseq: z.int().positive(),
    change: z.enum(['edited', 'deleted', 'reaction_added', 'reaction_removed', 'pinned', 'unpinned']),
    message,
  }),
  /** A message was deleted for its reader, on another of their devices. */
  message_hidden: z.object({ room_id: roomId, message_id: z.string() }),
  /** Read positions that moved, the latest of each member. Clients recompute `unread_count` from them. */
  read: z.object({ room_id: roomId, positions: z.array(readPosition) }),
  typing: z.object({ room_id: roomId, user_id: userId, expires_in_ms: z.int().positive() }),
  presence: z.object({ user_id: userId, online: z.boolean().nullable(), last_seen_at: timestamp.nullable() }),
  friend: z.object({
    event: z.enum([
      'request_received',
      'request_sent',
      'request_cancelled',
      'request_rejected',
      'accepted',
      'removed',
      'blocked',
      'unblocked',
      'restricted',
      'unrestricted',
    ]),
    user_id: userId.meta({ description: 'The other user.' }),
    request_id: z.int().positive().nullable(),
  }),
  /**
   * These lists may have changed: fetch them again. `friends`: friends, requests, blocks, with names and
   * images. `rooms`: the list of rooms, with titles, roles and settings of the user.
   */
  lists_changed: z.object({ lists: z.array(z.enum(['friends', 'rooms'])).min(1) }),
  /** The user joined a room and receives its messages from this position on. */
  room_added: roomHead,
  /**
   * The room, or the user's role or settings in it, has changed: fetch the room again. `members` is set when
   * the membership changed, with the position of the new members' start.
   */
  room_updated: z.object({
    room_id: roomId,
    members: z.object({ added: z.array(readPosition), removed: z.array(userId) }).nullable(),
  }),
  room_removed: z.object({ room_id: roomId }),
  /**
   * The stream ends because the process stops or a newer stream of the user replaces it. Reconnect after this
   * delay.
   */
  reconnect: z.object({ delay_ms: z.int().min(0) }),
} as const

export type StreamFrameName = keyof typeof streamFrames
export type StreamFrameData<Name extends StreamFrameName> = z.infer<(typeof streamFrames)[Name]>
/** A frame as received by a client. */
export type StreamFrame = {
  [Name in StreamFrameName]: { event: Name; data: StreamFrameData<Name> }
}[StreamFrameName]

const tag = 'stream'
const lastEventId = opaqueText({ max: 8_000, min: 0 }).meta({
  description: 'The last `id` received on the stream.',
})

export const createStreamTicket = defineRoute({
  operationId: 'createStreamTicket',
  method: 'POST',
  path: '/stream/tickets',
  tag,
  summary: 'Create a ticket for opening the stream without an Authorization header',
  description: "Single use, valid for 30 seconds. For the browser's EventSource, which cannot send headers.",
  body: z.strictObject({ last_event_id: lastEventId.optional() }).optional(),
  bodyExample: {},
  success: {
    status: 201,
    description: 'Open `GET /stream?ticket=`.',
    schema: z.object({ ticket: z.string(), expires_in: z.int() }),
    example: { ticket: 'k3sN2x8Zq0dWw1oH6uTz4bVfYjR5aLpE', expires_in: 30 },
  },
  problems: ['RATE_LIMITED'],
})

export const openStream = defineRoute({
  operationId: 'openStream',
  method: 'GET',
  path: '/stream',
  tag,
  summary: 'Your events in real time (Server-Sent Events)',
  description:
    'All rooms, presence and friends. The first frame is `ready` (resumed after `Last-Event-ID` without gaps or duplicates) or `reset` (fetch the state again). Ignore unknown frame names and frames that do not concern you.',
  auth: 'ticket',
  query: z.object({
    ticket: opaqueText({ max: 100, min: 0 }).optional(),
    last_event_id: lastEventId.optional(),
    acks: z.literal('1').optional().meta({
      description:
        "You call `acknowledgeStream` at least every 50 s. Without acknowledgements a client that lost its network stays online until the kernel's timeout, about 15 minutes.",
    }),
  }),
  success: {
    status: 200,
    description: 'A stream of frames; see docs/architecture/stream.md.',
    contentType: 'text/event-stream',
    schema: z.string(),
    example: 'event: ready\ndata: {"stream_id":"0199","rooms":[{"room_id":7,"seq":42,"cseq":3}]}\n\n',
  },
  problems: ['NOT_AUTHENTICATED', 'TOKEN_INVALID', 'SESSION_REVOKED', 'TICKET_INVALID', 'OVERLOADED'],
})

/** Identifies a process of chat-service and the stream within it. */
const streamId = z
  .string()
  .regex(/^[0-9a-f-]{36}\.[0-9a-z]{1,11}$/, 'Must be the `stream_id` of the first frame.')

export const acknowledgeStream = defineRoute({
  operationId: 'acknowledgeStream',
  method: 'POST',
  path: '/stream/acks',
  tag,
  summary: 'Acknowledge your stream',
  description:
    'Only for streams opened with `acks=1`; call it on a heartbeat, every 30 s, and repeat a failed call after a few seconds. A stream without an acknowledgement for 50 s is closed, and you become offline.',
  body: z.strictObject({ stream_id: streamId }),
  bodyExample: { stream_id: '0199a8a0-0000-7000-8000-000000000000.1' },
  success: { status: 204, description: 'Accepted; effective if the stream is yours and still open.' },
  problems: [],
})

export const sendTyping = defineRoute({
  operationId: 'sendTyping',
  method: 'POST',
  path: '/rooms/:room_id/typing',
  tag,
  summary: 'Send a typing indicator',
  description: 'Shown for 6 seconds; repeat it every 3 seconds while typing.',
  params: z.object({ room_id: idParam }),
  success: { status: 204, description: 'Delivered to the other members.' },
  problems: ['NOT_A_MEMBER', 'ROOM_NOT_FOUND', 'RATE_LIMITED'],
})
