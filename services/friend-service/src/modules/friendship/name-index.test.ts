import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareNames, indexLetter } from './name-index.ts'

it.each([
  ['강민지', 'ㄱ'],
  ['까치', 'ㄱ'],
  ['나은', 'ㄴ'],
  ['쌍둥이', 'ㅅ'],
  ['황', 'ㅎ'],
  ['힣', 'ㅎ'],
  ['ㅋㅋ', 'ㅋ'],
  ['ㅉ', 'ㅈ'],
  ['alice', 'A'],
  ['Émile', 'E'],
  [' bob', 'B'],
  ['田中', '#'],
  ['7', '#'],
  ['😀', '#'],
  ['', '#'],
])('the name %j is listed under %s', (name, letter) => {
  expect(indexLetter(name)).toBe(letter)
})

it('the name index orders Hangul before Latin before everything else, and within a letter by dictionary order', () => {
  const names = ['bob', '田中', '나은', '강민지', 'Alice', '가람', '까치', '😀']
  const sorted = names.map((name, userId) => ({ name, userId })).sort(compareNames)
  expect(sorted.map(({ name }) => name).slice(0, 6)).toEqual([
    '가람',
    '강민지',
    '까치',
    '나은',
    'Alice',
    'bob',
  ])
})

it('the name index is a total order: pages by cursor neither omit nor repeat anyone', () => {
  const named = fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 4 }), userId: fc.nat(50) })
  fc.assert(
    fc.property(named, named, named, (a, b, c) => {
      expect(Math.sign(compareNames(a, b))).toBe(-Math.sign(compareNames(b, a)) + 0)
      if (compareNames(a, b) <= 0 && compareNames(b, c) <= 0)
        expect(compareNames(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})
