import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from './stream-cursor.ts'

const position = fc.nat({ max: 1e12 })

it('comes back as it went', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 8e12 }),
      fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1e12 }), position, position), {
        selector: ([id]) => id,
      }),
      (since, entries) => {
        const rooms = new Map(entries.map(([id, seq, cseq]) => [id, { seq, cseq, at: 0 }]))
        const decoded = decodeCursor(encodeCursor(since, rooms))
        expect(decoded?.since).toBe(since)
        expect([...decoded!.rooms]).toEqual(entries.map(([id, seq, cseq]) => [id, { seq, cseq }]))
      },
    ),
  )
})

it('is nothing else, and never throws', () => {
  for (const text of [
    '',
    '1',
    '2~a',
    '1~',
    '1~a~',
    '1~a~1.2',
    '1~a~1.2.x!',
    '1~a~-1.2.3',
    `1~a${'~1.1.1'.repeat(1_001)}`,
  ]) {
    expect(decodeCursor(text), text.slice(0, 20)).toBeUndefined()
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      decodeCursor(text)
    }),
  )
})
