import { describe, expect, it } from 'vitest'
import { nameQuery, searchTermsOf } from './search-terms.ts'

/** Returns whether a query finds a user of this name. */
function finds(typed: string, displayName: string, username = 'zzz'): boolean {
  const query = nameQuery(typed)
  const found = searchTermsOf({ username, displayName }).some((term) => term.startsWith(query.prefix))
  return found && query.matches({ username, displayName })
}

describe('search terms', () => {
  it.each([
    ['a syllable', '김', '김민지'],
    ['the complete name', '김민지', '김민지'],
    ['a half-typed syllable', '기', '김민지'],
    ['a syllable whose last consonant belongs to the next', '김밎', '김미지'],
    ['a lone initial', 'ㄱ', '김민지'],
    ['all initials', 'ㄱㅁㅈ', '김민지'],
    ['a syllable and an initial', '김ㅁ', '김민지'],
    ['a syllable and two initials', '김ㅁㅈ', '김민지'],
    ['an initial and a syllable', 'ㄱ민', '김민지'],
    ['a double consonant', 'ㅃㅃㅇ', '빠삐용'],
    ['decomposed Hangul', '김민'.normalize('NFD'), '김민지'],
    ['another case', 'KIM', 'Kim Minji'],
    ['several spaces', 'kim  min', 'Kim Minji'],
    ['Japanese', '田中', '田中さくら'],
    ['initials with Latin letters', 'ㄱk', '김K'],
    ['two initials combined by the keyboard', '김ㄳ', '김경수'],
    ['a given name', '준오', '박준오'],
    ['a half-typed given name', '준', '박준오'],
    ['the initials of a given name', 'ㅈㅇ', '박준오'],
    ['a given name after a family name of two syllables', '민수', '남궁민수'],
    ['a given name of one syllable', '산', '이산'],
    ['a family name after the given name', 'minji', 'Kim Minji'],
    ['a Korean word that is not the first', '준오', '개발팀 박준오'],
    ['Latin letters without their accents', 'jose', 'José Álvarez'],
    ['another width', 'ｋｉｍ', 'Kim'],
  ])('search terms match a name by %s', (_case, typed, name) => {
    expect(finds(typed, name)).toBe(true)
  })

  it.each([
    ['the last syllable', '지', '김민지'],
    ['the middle of a word', 'inji', 'Kim Minji'],
    ['other initials', 'ㄱㅁㅊ', '김민지'],
    ['a syllable and a wrong initial', '김ㅅㅈ', '김민지'],
    ['another syllable with the same initials', '가ㅁㅈ', '김민지'],
    ['a query longer than the name', 'ㄱㅁㅈㅅ', '김민지'],
  ])('search terms do not match a name by %s', (_case, typed, name) => {
    expect(finds(typed, name)).toBe(false)
  })

  it('search terms match a username', () => {
    expect(finds('min', '아무개', 'minji')).toBe(true)
  })

  it('search terms are short, but the whole query is compared', () => {
    const name = '가나다라마바사아자차카타파하거너더러'
    const terms = searchTermsOf({ username: 'u', displayName: name })
    expect(Math.max(...terms.map((term) => [...term].length))).toBeLessThanOrEqual(30)
    expect(finds(name, name)).toBe(true)
    expect(finds(`${name.slice(0, -1)}려`, name)).toBe(false)
  })
})
