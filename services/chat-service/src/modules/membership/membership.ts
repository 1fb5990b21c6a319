import type { HistoryStart } from './membership.ports.ts'

/** What a member has read without ever having read it: what they may not see, and what is from before they came. */
export function readFloor({ visibleFromSeq, joinedSeq }: HistoryStart): number {
  return Math.max(visibleFromSeq - 1, joinedSeq)
}

/** What stands in "muted until" when it is until further notice. */
export const FOREVER = new Date('9999-12-31T00:00:00.000Z')

/** A mute as people see it: whether it holds now, and until when if it ends. */
export function muteAt(mutedUntil: Date | null, now: Date): { muted: boolean; mutedUntil: Date | null } {
  if (!mutedUntil || mutedUntil <= now) return { muted: false, mutedUntil: null }
  return { muted: true, mutedUntil: mutedUntil >= FOREVER ? null : mutedUntil }
}

/** The other one of a pair's key. */
export function peerIn(directKey: string | null, userId: number): number | null {
  if (directKey === null) return null
  const [low, high] = directKey.split(':').map(Number)
  return (low === userId ? high : low) ?? null
}
