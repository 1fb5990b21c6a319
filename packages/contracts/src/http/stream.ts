import { z } from 'zod'
import { roomId, timestamp, userId } from '../ids.ts'
import { opaqueText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { message } from './message-shapes.ts'
import { idParam } from './paging.ts'
import { readPosition } from './read-state.ts'

/** How far a room's two logs go: messages by `seq`, changes of messages by `cseq`. */
export const roomHead = z.object({ room_id: roomId, seq: z.int().min(0), cseq: z.int().min(0) })
export type RoomHeadPosition = z.infer<typeof roomHead>

export const resetReason = z.enum(['new', 'cursor_invalid', 'too_old', 'too_many'])

const heads = z.array(roomHead)

/** Every frame of the stream: the name of the SSE event, and what its data is. */
export const streamFrames = {
  /** First frame of a resumed stream: what was missed follows. `rooms` are all rooms of the user. */
  ready: z.object({ stream_id: z.string(), rooms: heads }),
  /** First frame of any other stream: fetch anew, then go on from `rooms`. */
  reset: z.object({ stream_id: z.string(), reason: resetReason, rooms: heads }),
  /** Every 15 s. Whoever is behind one of the heads has lost something: fetch with `after_seq`. */
  heartbeat: z.object({ at: timestamp, heads }),
  message: z.object({ room_id: roomId, seq: z.int().positive(), message }),
  /** An edit, a deletion, a reaction, a pin: the whole message as fetched fresh. */
  message_updated: z.object({
    room_id: roomId,
    cseq: z.int().positive(),
    change: z.enum(['edited', 'deleted', 'reaction_added', 'reaction_removed', 'pinned', 'unpinned']),
    message,
  }),
  /** Deleted for oneself, on another of one's devices. */
  message_hidden: z.object({ room_id: roomId, message_id: z.string() }),
  /** Positions that moved, the latest of each member. `unread_count` of held messages follows from them. */
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
    ]),
    user_id: userId.meta({ description: 'The other person.' }),
    request_id: z.int().positive().nullable(),
  }),
  /**
   * What you hold of these lists may be out of date: fetch them again. `friends`: friends, requests, blocks, with names and
   * pictures. `rooms`: the list of rooms, with titles, roles and your settings.
   */
  lists_changed: z.object({ lists: z.array(z.enum(['friends', 'rooms'])).min(1) }),
  /** You are a member now, and see its messages from here on. */
  room_added: roomHead,
  /** Fetch the room again: itself, or your role or settings in it. `members` when it changed who is in it, with where the new ones begin. */
  room_updated: z.object({
    room_id: roomId,
    members: z.object({ added: z.array(readPosition), removed: z.array(userId) }).nullable(),
  }),
  room_removed: z.object({ room_id: roomId }),
  /** The stream ends: the process stops, or a newer stream of the same user takes its place. Come back after this long. */
  reconnect: z.object({ delay_ms: z.int().min(0) }),
} as const

export type StreamFrameName = keyof typeof streamFrames
export type StreamFrameData<Name extends StreamFrameName> = z.infer<(typeof streamFrames)[Name]>
/** A frame as a client gets it. */
export type StreamFrame = {
  [Name in StreamFrameName]: { event: Name; data: StreamFrameData<Name> }
}[StreamFrameName]

const tag = 'stream'
const lastEventId = opaqueText({ max: 8_000, min: 0 }).meta({
  description: 'The last `id` that the stream gave.',
})

export const createStreamTicket = defineRoute({
  operationId: 'createStreamTicket',
  method: 'POST',
  path: '/stream/tickets',
  tag,
  summary: 'A ticket to open the stream without a header',
  description: "Works once, within 30 seconds: for the browser's own EventSource, which cannot send a token.",
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
  summary: 'Everything that concerns you, as it happens (Server-Sent Events)',
  description:
    'All rooms, presence, friends. The first frame is `ready` (resumed after `Last-Event-ID`: nothing missing, nothing doubled) or `reset` (fetch anew). Frames that are not for you, and names you do not know, are to be ignored.',
  auth: 'ticket',
  query: z.object({
    ticket: opaqueText({ max: 100, min: 0 }).optional(),
    last_event_id: lastEventId.optional(),
    acks: z.literal('1').optional().meta({
      description:
        'You call `acknowledgeStream` at least every 50 s. Without it a client that has lost its network stays online until the kernel gives up, after about 15 minutes.',
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

/** A process of chat-service, and the number of the stream there. */
const streamId = z.string().regex(/^[0-9a-f-]{36}\.[0-9a-z]{1,11}$/, 'The `stream_id` of the first frame.')

export const acknowledgeStream = defineRoute({
  operationId: 'acknowledgeStream',
  method: 'POST',
  path: '/stream/acks',
  tag,
  summary: 'Say that you still read your stream',
  description:
    'Only for streams that were opened with `acks=1`; call it on a heartbeat, every 30 s. A stream that is not acknowledged for 50 s is closed, and you count as offline.',
  body: z.strictObject({ stream_id: streamId }),
  bodyExample: { stream_id: '0199a8a0-0000-7000-8000-000000000000.1' },
  success: { status: 204, description: 'Noted, if the stream is yours and still open.' },
  problems: [],
})

export const sendTyping = defineRoute({
  operationId: 'sendTyping',
  method: 'POST',
  path: '/rooms/:room_id/typing',
  tag,
  summary: 'Say that you are writing',
  description: 'Shown for 6 seconds; say it again every 3 while it goes on.',
  params: z.object({ room_id: idParam }),
  success: { status: 204, description: 'Told to the others.' },
  problems: ['NOT_A_MEMBER', 'ROOM_NOT_FOUND', 'RATE_LIMITED'],
})
