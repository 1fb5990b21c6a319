import fc from 'fast-check'
import { expect, it } from 'vitest'
import { indexTokens, searchQuery } from './search-tokens.ts'

it('whatever part of a Korean, Japanese or Chinese text is looked for, the text has all its tokens', () => {
  const character = fc.constantFrom(...'가나다라마바사東京明天会議のメッセ')
  fc.assert(
    fc.property(
      fc.array(character, { minLength: 1, maxLength: 30 }),
      fc.nat(),
      fc.nat(),
      (text, start, length) => {
        const from = start % text.length
        const part = text.slice(from, from + 1 + (length % (text.length - from))).join('')
        const tokens = new Set(indexTokens(text.join('')))
        expect(searchQuery(part).tokens.filter((token) => !tokens.has(token))).toEqual([])
      },
    ),
  )
})

it('takes width, case and composition for the same', () => {
  expect(searchQuery('ＣＡＦＥ\u0301').tokens).toEqual(indexTokens('café'))
  expect(indexTokens('한글'.normalize('NFD'))).toEqual(indexTokens('한글'))
})

it('finds nothing to look for in signs alone', () => {
  expect(searchQuery('!? ... $#').tokens).toEqual([])
})

it('is bounded for the longest message', () => {
  const text = Array.from({ length: 10_000 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join('')
  expect(indexTokens(text).length).toBeLessThanOrEqual(3_001)
})
