import fc from 'fast-check'
import { expect, it } from 'vitest'
import { indexTokens, isMatch, searchQuery } from './search-tokens.ts'

/** Returns whether a query finds a message. */
function finds(typed: string, content: string): boolean {
  const query = searchQuery(typed)
  return query.tokens.length > 0 && isMatch(query, content)
}

it.each([
  ['ㅋㅋ', 'ㅋㅋㅋㅋ 진짜?'],
  ['ㅠㅠ', '늦었어 ㅠㅠ'],
  ['ㅋㅠ', '아 ㅋㅠ'],
  ['ㅇㅋ', 'ㅇㅋ 이따 봐'],
  ['등산', '주말에등산가자'],
  ['밥', '밥 먹자'],
  ['회의록', '오늘 회의록입니다.'],
  ['東京', '明日東京へ行く'],
  ['ガイド', 'ﾊﾝｸﾞﾙｶﾞｲﾄﾞ'],
  ['ラーメン', 'ラーメン食べたい'],
  ['火车票', '我买了火车票'],
  ['สวัสดี', 'สวัสดีครับ'],
  ['ครับ', 'สวัสดีครับ'],
  ['ສະບາຍດີ', 'ສະບາຍດີ ເຈົ້າ'],
  ['ជំរាប', 'ជំរាបសួរ'],
  ['မင်္ဂလာ', 'မင်္ဂလာပါ'],
  ['हिन्दी', 'मुझे हिन्दी आती है'],
  ['தமிழ்', 'தமிழ் மொழி'],
  ['বাংলা', 'আমি বাংলা বলি'],
  ['مرحبا', 'مَرْحَبًا بكم'],
  ['שלום', 'שָׁלוֹם לכולם'],
  ['میخواهم', 'می\u200cخواهم بروم'],
  ['елка', 'Ёлка стоит'],
  ['strasse', 'In der Straße'],
  ['ΟΔΟΣ', 'η οδός είναι'],
  ['istanbul', 'İstanbul’a gidiyorum'],
  ['viet nam', 'Xin chào Việt Nam'],
  ['cafe', 'Café um drei'],
  ['café', 'CAFE AT THREE'],
  ['ＯＫ', 'ok!'],
  ['v2', 'release v2 today'],
  ['user_1', 'ask user_1'],
  ['🎉', '축하해🎉🎉'],
  ['❤', '고마워❤️'],
  ['🇰🇷', '대한민국 🇰🇷!'],
  ['👨‍👩‍👧', '우리 가족 👨‍👩‍👧'],
])('the query %s finds "%s"', (typed, content) => {
  expect(finds(typed, content)).toBe(true)
})

it.each([
  ['큐', 'ㅋㅠ'],
  ['동경', '경동시장'],
  ['가나다', '가나 나다'],
  ['हिन्द', 'हद नि'],
  ['cat', 'concatenate'],
])('the query %s does not find "%s"', (typed, content) => {
  expect(finds(typed, content)).toBe(false)
})

it('a continuous text is found by any part of it', () => {
  const character = fc.constantFrom(...'가나다라마바사ㅋㅠ東京明天会議のメッセสวัมင်🎉')
  fc.assert(
    fc.property(
      fc.array(character, { minLength: 1, maxLength: 30 }),
      fc.nat(),
      fc.nat(),
      (text, start, length) => {
        const from = start % text.length
        const part = text.slice(from, from + 1 + (length % (text.length - from))).join('')
        expect(finds(part, text.join(''))).toBe(true)
      },
    ),
  )
})

it('a query of punctuation alone has no tokens', () => {
  expect(searchQuery('!? ... $#').tokens).toEqual([])
})

it('a real message of 10,000 characters is found by every part', () => {
  // 11,172 syllables with realistic frequencies: few are common, and neighbors repeat.
  const syllable = (n: number) => String.fromCodePoint(0xac00 + Math.floor(11_172 * (n / 600) ** 3))
  let seed = 7
  const text = Array.from({ length: 10_000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return syllable(Math.min(seed % 600, (seed >> 8) % 600))
  }).join('')
  for (const from of [0, 1_999, 5_000, 9_997])
    expect(finds(text.slice(from, from + 3), text), `${from}`).toBe(true)
})

it('the longest random message is found by every character, and its tokens are bounded', () => {
  const text = Array.from({ length: 10_000 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join('')
  expect(indexTokens(text).length).toBeLessThanOrEqual(10_000)
  expect(finds(text.at(-1)!, text)).toBe(true)
  const started = process.cpuUsage()
  indexTokens(text)
  expect(process.cpuUsage(started).user / 1_000).toBeLessThan(50)
})
