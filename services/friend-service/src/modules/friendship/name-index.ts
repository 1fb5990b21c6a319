/** Initial consonants of Hangul syllables in Unicode order; double consonants are filed under single ones. */
const initials = 'ㄱㄱㄴㄷㄷㄹㅁㅂㅂㅅㅅㅇㅈㅈㅊㅋㅌㅍㅎ'
const doubled: Readonly<Record<string, string>> = { ㄲ: 'ㄱ', ㄸ: 'ㄷ', ㅃ: 'ㅂ', ㅆ: 'ㅅ', ㅉ: 'ㅈ' }
const FIRST_SYLLABLE = 0xac00
const LAST_SYLLABLE = 0xd7a3
const SYLLABLES_PER_INITIAL = 588
const OTHER = '#'
const order = `ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎABCDEFGHIJKLMNOPQRSTUVWXYZ${OTHER}`

const collator = new Intl.Collator('ko')

/** Returns the index letter of a name: ㄱ to ㅎ, A to Z, or `#` for everything else. */
export function indexLetter(name: string): string {
  const first = [...name.trim()][0] ?? ''
  const code = first.codePointAt(0) ?? 0
  if (code >= FIRST_SYLLABLE && code <= LAST_SYLLABLE)
    return initials[Math.floor((code - FIRST_SYLLABLE) / SYLLABLES_PER_INITIAL)]!
  if (/^[ㄱ-ㅎ]$/.test(first)) return doubled[first] ?? (initials.includes(first) ? first : OTHER)
  const latin = first.normalize('NFD')[0]?.toUpperCase() ?? ''
  return /^[A-Z]$/.test(latin) ? latin : OTHER
}

export interface Named {
  readonly name: string
  readonly userId: number
}

/** Compares names like an address book: by index letter, then Korean dictionary order, then id. */
export function compareNames(one: Named, other: Named): number {
  return (
    order.indexOf(indexLetter(one.name)) - order.indexOf(indexLetter(other.name)) ||
    collator.compare(one.name, other.name) ||
    one.userId - other.userId
  )
}
