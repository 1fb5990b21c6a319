import emojis from 'emojibase-data/en/compact.json' with { type: 'json' }
import { expect, it } from 'vitest'
import { canonicalEmoji, emoji } from './emoji.ts'

const everyEmoji = emojis
  .flatMap(({ unicode, skins }) => [unicode, ...(skins ?? []).map((skin) => skin.unicode)])
  // Letters of flags and skin tones alone: parts of emoji.
  .filter((text) => !/^(\p{Regional_Indicator}|\p{Emoji_Modifier})$/u.test(text))

it('an emoji field accepts every emoji of Unicode in any presentation selector spelling and stores one spelling', () => {
  expect(everyEmoji.length).toBeGreaterThan(3_700)
  for (const text of everyEmoji) {
    const canonical = emoji.parse(text)
    expect(emoji.parse(text.replaceAll('\ufe0f', '')), text).toBe(canonical)
    expect(emoji.parse(canonical), text).toBe(canonical)
  }
  expect(new Set(everyEmoji.map((text) => emoji.parse(text))).size).toBe(everyEmoji.length)
})

it.each([
  ['❤', '❤️'],
  ['❤️', '❤️'],
  ['☝🏽', '☝🏽'],
  ['1⃣', '1️⃣'],
  ['👁‍🗨', '👁️‍🗨️'],
])('%s and its other spellings are stored as one reaction, %s', (typed, stored) => {
  expect(canonicalEmoji(typed)).toBe(stored)
})

it.each([
  ['nothing', ''],
  ['a digit', '1'],
  ['a digit with a selector', '1\ufe0f'],
  ['#️ without its keycap', '#\ufe0f'],
  ['a lone joiner', '\u200d'],
  ['a lone selector', '\ufe0f'],
  ['one letter of a flag', '🇰'],
  ['letters that form no flag', '🇿🇿'],
  ['lone tag characters', '\u{e0067}\u{e007f}'],
  ['a tag sequence that forms no flag', '🏴\u{e0061}\u{e007f}'],
  ['a letter with a skin tone', 'a🏽'],
  ['two emoji', '👍👍'],
  ['a joined pair that forms no emoji', '👍\u200d👍'],
  ['a text selector', '❤\ufe0e'],
  ['text', 'ok'],
  ['an emoji and a space', '👍 '],
])('refuses %s', (_case, text) => {
  expect(emoji.safeParse(text).success).toBe(false)
})

it('an emoji field validates hostile texts in linear time', () => {
  for (const text of [`${'1'.repeat(60)}a`, '\u0301'.repeat(250_000), '👍\u200d'.repeat(50_000)]) {
    const started = process.cpuUsage()
    expect(emoji.safeParse(text).success).toBe(false)
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(50)
  }
})
