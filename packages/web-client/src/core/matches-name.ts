const INITIALS = [...'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ']
const FIRST_SYLLABLE = 0xac00
const LAST_SYLLABLE = 0xd7a3
const SYLLABLES_PER_INITIAL = 588

/** Returns whether one of the names contains the query; Hangul also matches by initial consonants (`ㄱㅁㄴ` finds 김미나). */
export function matchesName(typed: string, ...names: readonly string[]): boolean {
  const wanted = typed.trim().normalize('NFC').toLowerCase()
  return names.some((name) => {
    const text = name.normalize('NFC').toLowerCase()
    return text.includes(wanted) || (isInitials(wanted) && initialsOf(text).includes(wanted))
  })
}

function isInitials(text: string): boolean {
  return text !== '' && [...text].every((letter) => INITIALS.includes(letter))
}

function initialsOf(text: string): string {
  return [...text]
    .map((letter) => {
      const code = letter.codePointAt(0) ?? 0
      if (code < FIRST_SYLLABLE || code > LAST_SYLLABLE) return letter
      return INITIALS[Math.floor((code - FIRST_SYLLABLE) / SYLLABLES_PER_INITIAL)]
    })
    .join('')
}
