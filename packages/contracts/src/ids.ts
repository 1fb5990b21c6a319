import { z } from 'zod'

/** A user's id: a positive integer assigned by user-service. */
export const userId = z
  .int()
  .positive()
  .meta({ description: 'User id.', examples: [100] })
/** A room's id: a positive integer assigned by chat-service. */
export const roomId = z
  .int()
  .positive()
  .meta({ description: 'Room id.', examples: [7] })
/** A message's position in its room: 1, 2, 3, ... without gaps. */
export const seq = z
  .int()
  .positive()
  .meta({ description: "Position in the room's history.", examples: [42] })
/** `<room_id>:<seq padded to 12>`; opaque to clients. */
export const messageId = z
  .string()
  .min(1)
  .max(40)
  .meta({ description: 'Message id (opaque).', examples: ['7:000000000042'] })
export const sessionId = z.uuid().meta({ description: 'Session id.' })
/** RFC 3339 in UTC with milliseconds, like every time in the API. */
export const timestamp = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'RFC 3339, UTC, milliseconds.', examples: ['2026-01-27T10:00:00.000Z'] })

/** Returns the key of an unordered pair of users, the same in both directions: `"3:12"`. */
export function pairKey(a: number, b: number): string {
  return a < b ? `${a}:${b}` : `${b}:${a}`
}
