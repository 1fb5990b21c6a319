import { expect, it } from 'vitest'
import { writingRefusal } from './may-write.ts'

const now = Date.parse('2026-01-27T10:00:00.000Z')
const room = { posting: 'everyone', role: 'member', silenced_until: null } as const

it('mayWrite returns the reason only for a silenced member and a member of an announcement room', () => {
  expect(writingRefusal(room, now)).toBeUndefined()
  expect(writingRefusal({ ...room, posting: 'admins' }, now)).toBe('error.ANNOUNCEMENTS_ONLY')
  expect(writingRefusal({ ...room, posting: 'admins', role: 'admin' }, now)).toBeUndefined()
  const silenced = { ...room, silenced_until: '2026-01-27T10:00:01.000Z' }
  expect(writingRefusal(silenced, now)).toBe('error.MEMBER_SILENCED')
  expect(writingRefusal(silenced, now + 2_000)).toBeUndefined()
})
