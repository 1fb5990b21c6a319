import type { Room } from '@bigtech/client'
import type { TextKey } from '../i18n/index.ts'

/** Returns the text key of the reason why the user may not write in a room; undefined when they may. */
export function writingRefusal(
  { posting, role, silenced_until }: Pick<Room, 'posting' | 'role' | 'silenced_until'>,
  now: number,
): TextKey | undefined {
  if (silenced_until && Date.parse(silenced_until) > now) return 'error.MEMBER_SILENCED'
  if (posting === 'admins' && role === 'member') return 'error.ANNOUNCEMENTS_ONLY'
  return undefined
}
