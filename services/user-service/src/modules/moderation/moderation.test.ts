import { expect, it } from 'vitest'
import { mayDecide, restrict } from './moderation.ts'

const soon = new Date('2026-02-01T00:00:00.000Z')
const later = new Date('2026-03-01T00:00:00.000Z')
const none = { mutedUntil: null, suspendedUntil: null }

it('a mute and a suspension can be in force together, and a lift ends both', () => {
  const muted = restrict(none, 'mute', soon)
  const both = restrict(muted, 'suspend', later)
  expect(both).toEqual({ mutedUntil: soon, suspendedUntil: later })
  expect(restrict(both, 'warn', later)).toEqual(both)
  expect(restrict(both, 'dismiss', later)).toEqual(both)
  expect(restrict(both, 'mute', later)).toEqual({ mutedUntil: later, suspendedUntil: later })
  expect(restrict(both, 'lift', later)).toEqual(none)
})

it.each([
  ['moderator', 'user', true],
  ['moderator', 'moderator', false],
  ['moderator', 'operator', false],
  ['operator', 'moderator', true],
  ['operator', 'operator', false],
] as const)('a %s may decide about a %s: %s', (role, target, allowed) => {
  expect(mayDecide({ userId: 1, role }, { userId: 2, role: target })).toBe(allowed)
})

it('moderators may not decide about themselves', () => {
  expect(mayDecide({ userId: 1, role: 'operator' }, { userId: 1, role: 'user' })).toBe(false)
})
