import type { HistoryStart } from './membership.ports.ts'

/**
 * Returns the read position implied by a membership: messages that are invisible or older than the joining
 * count as read.
 */
export function readFloor({ visibleFromSeq, joinedSeq }: HistoryStart): number {
  return Math.max(visibleFromSeq - 1, joinedSeq)
}

/** The end of a mute without an end. */
export const FOREVER = new Date('9999-12-31T00:00:00.000Z')

/** Returns whether a mute is in force, and its end if it has one. */
export function muteAt(mutedUntil: Date | null, now: Date): { muted: boolean; mutedUntil: Date | null } {
  if (!mutedUntil || mutedUntil <= now) return { muted: false, mutedUntil: null }
  return { muted: true, mutedUntil: mutedUntil >= FOREVER ? null : mutedUntil }
}

/** Returns the other user of a pair's key. */
export function peerIn(directKey: string | null, userId: number): number | null {
  if (directKey === null) return null
  const [low, high] = directKey.split(':').map(Number)
  return (low === userId ? high : low) ?? null
}
