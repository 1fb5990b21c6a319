export interface Membership {
  readonly roomId: number
  readonly userId: number
}

/** Returns the key of a member of a room. */
export function membershipKey({ roomId, userId }: Membership): string {
  return `${roomId}:${userId}`
}
