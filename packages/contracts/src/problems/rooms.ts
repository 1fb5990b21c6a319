import type { ProblemTable } from './problem-definition.ts'

/** Rooms, messages and streams (chat-service). */
export const roomProblems = {
  ROOM_NOT_FOUND: {
    status: 404,
    title: 'There is no such room.',
    meaning: 'Unknown, deleted, or not visible to you.',
  },
  NOT_A_MEMBER: {
    status: 403,
    title: 'You are not a member of this room.',
    meaning: 'Only members can read and write.',
  },
  ROLE_REQUIRED: {
    status: 403,
    title: 'Your role in this room does not allow this.',
    meaning: '`detail` names the required role.',
  },
  MEMBER_SILENCED: {
    status: 403,
    title: 'You have been muted in this room.',
    meaning: '`detail` contains the end of the mute. You can still read.',
  },
  ANNOUNCEMENTS_ONLY: {
    status: 403,
    title: 'Only the owner and admins may write in this room.',
    meaning: '`posting` of the room is `admins`. You can still read and react.',
  },
  SLOW_MODE: {
    status: 429,
    title: 'This room is in slow mode.',
    meaning: 'Wait `Retry-After` seconds between two messages. Owner and admins are exempt.',
  },
  DIRECT_MESSAGE_REFUSED: {
    status: 403,
    title: 'You cannot message this user.',
    meaning: 'Direct messages require friendship; the other user may have ended it.',
  },
  MEMBER_NOT_ADDABLE: {
    status: 403,
    title: 'A user on the list cannot be added.',
    meaning: '`errors[]` names the entries of `member_ids`.',
  },
  MEMBER_NOT_FOUND: {
    status: 404,
    title: 'This user is not a member of the room.',
    meaning: 'The user has left or was removed.',
  },
  ROOM_LIMIT: {
    status: 403,
    title: 'You are in too many rooms.',
    meaning: 'At most 2,000. Leave a room first.',
  },
  ROOM_IS_DIRECT: {
    status: 403,
    title: 'This is not possible in a 1:1 room.',
    meaning: 'A 1:1 room has two permanent members: no name, roles, invitations, leaving or deleting.',
  },
  ROOM_FULL: { status: 403, title: 'The room is full.', meaning: 'A group has at most 1,000 members.' },
  JOIN_LINK_LIMIT: {
    status: 403,
    title: 'The room has too many active links.',
    meaning: 'At most 20. Revoke a link first.',
  },
  JOIN_LINK_INVALID: {
    status: 404,
    title: 'This link is no longer valid.',
    meaning: 'Unknown, expired, used up, or revoked.',
  },
  MESSAGE_NOT_FOUND: {
    status: 404,
    title: 'There is no such message.',
    meaning: 'Unknown, deleted, or older than your access to the room.',
  },
  MESSAGE_ID_REUSED: {
    status: 409,
    title: 'This client_message_id was used for another message.',
    meaning: 'A retry must have the same body. Create a new id for a new message.',
  },
  EDIT_WINDOW_OVER: {
    status: 403,
    title: 'This message can no longer be edited.',
    meaning: 'Messages may be edited for 24 hours after sending.',
  },
  REACTION_LIMIT: {
    status: 403,
    title: 'This message has the maximum number of different reactions.',
    meaning: 'At most 20 different emoji per message.',
  },
  PIN_LIMIT: { status: 403, title: 'Too many pinned messages.', meaning: 'Unpin another one first.' },
  SEQ_OUT_OF_RANGE: {
    status: 422,
    title: 'There is no message with this seq yet.',
    meaning: 'A read position cannot exceed the newest message.',
  },
  TICKET_INVALID: {
    status: 401,
    title: 'The stream ticket is not valid.',
    meaning: 'A ticket works once, within 30 seconds. Create a new one.',
  },
} as const satisfies ProblemTable
