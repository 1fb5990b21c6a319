import fc from 'fast-check'
import { expect, it } from 'vitest'
import { searchEntry } from '../../../../testing/search-index.ts'
import {
  BLOCK_SIZE,
  type BlockDocument,
  blockIdOf,
  filterConditions,
  hitsIn,
  withEntries,
} from './search-blocks.ts'

/** Evaluates the conditions as the server does. */
function passes({ filter }: BlockDocument, tokens: readonly string[]): boolean {
  return Object.entries(filterConditions(tokens)).every(([field, { $bitsAllSet: bits }]) => {
    const [, group, word] = field.split('.')
    const value = filter[group!]?.[word!] ?? 0
    return bits.every((bit) => (value & (1 << bit)) !== 0)
  })
}

const word = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' })
const messages = fc.uniqueArray(
  fc.record({
    offset: fc.nat(BLOCK_SIZE - 1),
    at: fc.nat(2 ** 45),
    version: fc.nat(2 ** 31),
    tokens: fc.uniqueArray(word, { maxLength: 30 }),
  }),
  { minLength: 1, selector: ({ offset }) => offset },
)

it('a block of the search index returns every message with all tokens, newest first, and its filter lets them pass', () => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat(3), (given, seed, wanted) => {
      const entries = given.map(({ offset, at, version, tokens }) =>
        searchEntry(7, 5 * BLOCK_SIZE + offset, tokens, at, version),
      )
      const id = blockIdOf(entries[0]!.messageId)
      const [first, ...others] = entries
      const block =
        withEntries(id, withEntries(id, undefined, [first!]), others) ?? withEntries(id, undefined, [first!])!
      const tokens = entries[seed % entries.length]!.tokens.slice(0, wanted)
      const expected = entries
        .filter((entry) => tokens.every((token) => entry.tokens.includes(token)))
        .sort((a, b) => (a.messageId < b.messageId ? 1 : -1))
      const hits = hitsIn(block, tokens)
      const ids = new Set(hits.map(({ id }) => id))
      expect(expected.every(({ messageId }) => ids.has(messageId))).toBe(true)
      for (const { id, at } of hits) expect(entries.find(({ messageId }) => messageId === id)!.at).toEqual(at)
      expect(hits.map(({ id }) => id)).toEqual([...ids].sort().reverse())
      expect(passes(block, tokens)).toBe(true)
      expect([block.from, block.until]).toEqual(
        [Math.min, Math.max].map((f) => new Date(f(...entries.map(({ at }) => at.getTime())))),
      )
    }),
  )
})

it('a block of 32 real messages passes the filter for few words that it does not contain', () => {
  // 12 tokens of each message occur in no other one of the block.
  const entries = Array.from({ length: BLOCK_SIZE }, (_, n) =>
    searchEntry(
      1,
      n,
      Array.from({ length: 18 }, (_, w) => (w < 12 ? `own ${n} ${w}` : `shared ${w}`)),
    ),
  )
  const block = withEntries(blockIdOf(entries[0]!.messageId), undefined, entries)!
  const others = Array.from({ length: 5_000 }, (_, n) => [`absent ${n}`])
  expect(others.filter((tokens) => passes(block, tokens)).length / others.length).toBeLessThan(0.04)
  expect(others.filter((tokens) => hitsIn(block, tokens).length > 0).length / others.length).toBeLessThan(
    0.02,
  )
})

it('a deleted message leaves nothing of its words in a block', () => {
  const entry = (tokens: string[], version: number) => searchEntry(1, 3, tokens, 3, version)
  const [id, other] = [blockIdOf(entry([], 0).messageId), searchEntry(1, 4, ['kept'])]
  const before = withEntries(id, undefined, [entry(['secret'], 0), other])!
  const after = withEntries(id, before, [entry([], 1)])!
  const never = withEntries(id, undefined, [entry([], 1), other])!
  expect(passes(before, ['secret'])).toBe(true)
  expect([after.filter, after.rows]).toEqual([never.filter, never.rows])
})
