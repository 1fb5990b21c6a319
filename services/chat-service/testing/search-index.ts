import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isOlder,
  type SearchEntry,
  type SearchIndex,
  type SearchPosition,
} from '../src/modules/messages/search/search-index.ts'

let lastRoom = 5_000_000
const BASE = Date.parse('2026-01-01')

/** Returns the id of a room that no other test uses. */
export const newSearchRoom = (): number => ++lastRoom

export const searchEntry = (
  roomId: number,
  n: number,
  tokens: string[],
  at = n,
  version = 0,
): SearchEntry => ({
  messageId: `${roomId}:${String(n).padStart(12, '0')}`,
  roomId,
  at: new Date(at),
  version,
  tokens,
})

/**
 * Tests what every search index guarantees.
 *
 * @param open with the size of a step, for an index that works in steps
 */
export function describeSearchIndex(name: string, open: (step?: number) => SearchIndex): void {
  describe(name, () => {
    it('returns the results of a full scan in the same order for any step size and number of rooms', async () => {
      const word = fc.constantFrom('x', 'y', 'z', 'w')
      const ofRoom = fc.record({
        room: fc.nat(3),
        at: fc.nat(12),
        tokens: fc.uniqueArray(word, { minLength: 1 }),
      })
      await fc.assert(
        fc.asyncProperty(
          fc.array(ofRoom, { maxLength: 40 }),
          fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 1, max: 5 }),
          fc.boolean(),
          fc.integer({ min: 1, max: 4 }),
          // Milliseconds, or days.
          fc.constantFrom(1, 5e7),
          async (given, tokens, step, limit, isHurried, rooms, scale) => {
            const roomIds = Array.from({ length: rooms }, newSearchRoom)
            // In a room, later messages never have earlier times.
            const entries = given
              .toSorted((a, b) => a.at - b.at)
              // Far enough apart for several blocks of the index.
              .map(({ room, at, tokens: own }, n) =>
                searchEntry(roomIds[room % rooms]!, n * 9, own, BASE + at * scale),
              )
            const index = open(step)
            await index.put(entries)
            const found: string[] = []
            let before: SearchPosition | undefined
            for (let page = 0; ; page++) {
              const until = isHurried ? 0 : Number.POSITIVE_INFINITY
              const { hits, next } = await index.find({ roomIds, tokens, before, limit, until })
              expect(hits.length).toBeLessThanOrEqual(limit)
              found.push(...hits.map(({ id }) => id))
              if (next === null) break
              expect(isOlder(next, before)).toBe(true)
              before = next
              expect(page).toBeLessThan(100)
            }
            const expected = entries
              .filter(({ tokens: own }) => tokens.every((token) => own.includes(token)))
              .sort((a, b) => b.at.getTime() - a.at.getTime() || (a.messageId < b.messageId ? 1 : -1))
            expect(found).toEqual(expected.map(({ messageId }) => messageId))
          },
        ),
        { numRuns: 30 },
      )
    }, 60_000)

    it('holds the entries of all writers that add to neighboring messages at the same time', async () => {
      const roomId = newSearchRoom()
      const tokens = ['together']
      await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          open().put([searchEntry(roomId, n, tokens), searchEntry(roomId, n + 8, tokens)]),
        ),
      )
      const { hits } = await open().find({ roomIds: [roomId], tokens, limit: 20, until: 0 })
      expect(hits.length).toBe(16)
    })

    it('never replaces a newer entry by an older one', async () => {
      const index = open()
      const roomId = newSearchRoom()
      const found = async (token: string) =>
        (await index.find({ roomIds: [roomId], tokens: [token], limit: 5, until: 0 })).hits.length
      await index.put([searchEntry(roomId, 1, ['new'], 1, 2), searchEntry(roomId, 2, ['other'])])
      await index.put([searchEntry(roomId, 1, ['old'], 1, 1), searchEntry(roomId, 3, ['third'])])
      expect([await found('new'), await found('old'), await found('third')]).toEqual([1, 0, 1])
      await index.put([searchEntry(roomId, 1, ['newest'], 1, 3)])
      expect([await found('new'), await found('newest')]).toEqual([0, 1])
    })
  })
}
