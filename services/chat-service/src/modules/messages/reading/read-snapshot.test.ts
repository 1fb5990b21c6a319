import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ReadSnapshot } from './read-snapshot.ts'

it('the number of unread members is the same after every move as if it were counted anew', () => {
  const members = fc.array(fc.nat(20), { minLength: 1, maxLength: 12 })
  const moves = fc.array(fc.record({ userId: fc.nat(14), seq: fc.nat(20) }), { maxLength: 40 })
  fc.assert(
    fc.property(members, moves, (initial, all) => {
      const positions = new Map(initial.map((seq, userId) => [userId, seq]))
      const snapshot = new ReadSnapshot(positions)
      for (const { userId, seq } of [{ userId: 0, seq: 0 }, ...all]) {
        snapshot.advance(userId, seq)
        if (positions.has(userId)) positions.set(userId, Math.max(positions.get(userId)!, seq))
        for (let message = 0; message <= 21; message++)
          expect(snapshot.unread(message, userId)).toBe(
            [...positions].filter(([id, position]) => id !== userId && position < message).length,
          )
      }
      expect(snapshot.positions).toEqual(positions)
    }),
  )
})
