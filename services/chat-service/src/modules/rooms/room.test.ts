import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FOREVER, muteAt } from '../membership/membership.ts'
import {
  compareInList,
  type ListPosition,
  mayRemove,
  nextOwner,
  type RoomAction,
  roleAllows,
} from './room.ts'

const roles = ['member', 'admin', 'owner'] as const

describe('roles', () => {
  it.each<[RoomAction, string]>([
    ['view', 'member admin owner'],
    ['invite', 'member admin owner'],
    ['leave', 'member admin owner'],
    ['update', 'admin owner'],
    ['remove', 'admin owner'],
    ['manage_links', 'admin owner'],
    ['set_role', 'owner'],
    ['delete', 'owner'],
  ])('the action %s requires one of: %s', (action, allowed) => {
    expect(roles.filter((role) => roleAllows(role, action)).join(' ')).toBe(allowed)
  })

  it('nobody can remove an equal or superior role', () => {
    const pairs = roles.flatMap((actor) =>
      roles.filter((target) => mayRemove(actor, target)).map((target) => `${actor}>${target}`),
    )
    expect(pairs).toEqual(['admin>member', 'owner>member', 'owner>admin'])
  })
})

describe('nextOwner', () => {
  const member = (userId: number, role: 'admin' | 'member', day: number) => ({
    userId,
    role,
    joinedAt: new Date(2026, 0, day),
  })

  it('the next owner is the oldest admin, or else the oldest member, or undefined', () => {
    const [old, admin, newer] = [member(5, 'member', 1), member(6, 'admin', 9), member(7, 'admin', 10)]
    expect(nextOwner([old, newer, admin])).toBe(admin)
    expect(nextOwner([member(8, 'member', 2), old])).toBe(old)
    expect(nextOwner([])).toBeUndefined()
  })

  it('the next owner is the same regardless of order when two members joined at the same time', () => {
    const [a, b] = [member(1, 'member', 1), member(2, 'member', 1)]
    expect(nextOwner([a, b])).toBe(nextOwner([b, a]))
  })
})

describe('the order of the room list', () => {
  const position: fc.Arbitrary<ListPosition> = fc.record({
    pinned: fc.boolean(),
    at: fc.integer({ min: 0, max: 5 }),
    roomId: fc.integer({ min: 1, max: 1_000 }),
  })

  it('the order of rooms is total: the pages before and after any position contain every room once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(position, { selector: ({ roomId }) => roomId }), (rooms) => {
        const sorted = [...rooms].sort(compareInList)
        for (const [index, cursor] of sorted.entries()) {
          const rest = rooms.filter((room) => compareInList(room, cursor) > 0).sort(compareInList)
          expect(rest).toEqual(sorted.slice(index + 1))
        }
      }),
    )
  })
})

describe('muteAt', () => {
  const now = new Date('2026-01-27T10:00:00Z')
  it('muteAt returns an expiring or permanent mute', () => {
    expect(muteAt(null, now)).toEqual({ muted: false, mutedUntil: null })
    expect(muteAt(now, now)).toEqual({ muted: false, mutedUntil: null })
    const later = new Date('2026-01-27T11:00:00Z')
    expect(muteAt(later, now)).toEqual({ muted: true, mutedUntil: later })
    expect(muteAt(FOREVER, now)).toEqual({ muted: true, mutedUntil: null })
  })
})
