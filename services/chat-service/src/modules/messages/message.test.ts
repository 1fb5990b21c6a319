import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { excerpt } from './message.ts'

const characters = (text: string) => [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment)

describe('excerpt', () => {
  it('excerpt returns a short text completely, and the first 100 characters of a long one', () => {
    expect(excerpt('안녕')).toBe('안녕')
    expect(excerpt('가'.repeat(101))).toBe('가'.repeat(100))
    expect(excerpt('a'.repeat(100))).toBe('a'.repeat(100))
  })

  it.each([
    ['a family', '👨‍👩‍👧‍👦'],
    ['a flag', '🇰🇷'],
    ['a skin tone', '👍🏽'],
    ['a decomposed syllable', '한'.normalize('NFD')],
    ['a letter with marks', 'e\u0301\u0323'],
  ])('excerpt never splits %s at any position', (_name, character) => {
    for (let before = 85; before <= 105; before++) {
      const text = 'x'.repeat(before) + character.repeat(60)
      const shown = excerpt(text)
      expect(characters(text).slice(0, characters(shown).length).join('')).toBe(shown)
      expect(characters(shown).length).toBeLessThanOrEqual(100)
    }
  })

  it('excerpt is a prefix of the text, cut between two characters', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 80, maxLength: 300 })
    fc.assert(
      fc.property(text, (content) => {
        const shown = excerpt(content)
        expect(characters(content).slice(0, characters(shown).length).join('')).toBe(shown)
      }),
    )
  })
})
