import { foldText } from '@bigtech/contracts'
import { disassemble, getChoseong } from 'es-hangul'

/** Maximum length of a term: enough for a dozen syllables, and keeps cursors short. */
const MAX_TERM = 30

/** Maximum number of indexed words per display name. */
const MAX_STARTS = 6
const HANGUL_NAME = /^[가-힣]{2,5}$/u

/**
 * Returns the searchable beginnings of a display name: each word and, in a Korean name, the given name after
 * a family name of one syllable or, in longer names, of two (`준오` for 박준오, `민수` for 남궁민수).
 */
function startsOf(displayName: string): string[] {
  const words = displayName.split(' ')
  const starts = words.flatMap((word, index) => {
    const rest = words.slice(index).join(' ')
    if (!HANGUL_NAME.test(word)) return [rest]
    return word.length >= 4 ? [rest, rest.slice(1), rest.slice(2)] : [rest, rest.slice(1)]
  })
  return starts.slice(0, MAX_STARTS)
}

function namesOf({ username, displayName }: { username: string; displayName: string }): string[] {
  return [foldText(username), ...startsOf(foldText(displayName))]
}

/** Returns the jamo of the text, so that a half-typed syllable is a prefix too. */
function letters(text: string): string {
  return disassemble(text)
}

/** Returns the initials: `김민지` -> `ㄱㅁㅈ`; other text is unchanged. */
function initials(text: string): string {
  return getChoseong(text, { keepNonHangul: true })
}

/** Truncates a term and trims its end, because the index ignores trailing spaces. */
function cut(text: string): string {
  return [...text].slice(0, MAX_TERM).join('').trimEnd()
}

/** Returns all search terms of a user. */
export function searchTermsOf(names: { username: string; displayName: string }): string[] {
  const terms = namesOf(names).flatMap((name) => [cut(letters(name)), cut(initials(name))])
  return [...new Set(terms)].filter(Boolean)
}

const SYLLABLE = /[가-힣]/u
const CONSONANT = /[ㄱ-ㅎ]/u

export interface NameQuery {
  /** The prefix of matching terms. */
  readonly prefix: string
  /** Returns whether a user with a matching term really matches: a mixed query is first narrowed by initials. */
  matches(names: { username: string; displayName: string }): boolean
}

/** Parses a query. `김ㅁㅈ` mixes syllables and initials and is compared letter by letter. */
export function nameQuery(text: string): NameQuery {
  const folded = foldText(text)
  const mixed = SYLLABLE.test(folded) && CONSONANT.test(folded)
  if (!mixed) return plainQuery(letters(folded))
  // Keyboards combine some pairs of consonants: typing `김ㄱㅅ` yields `김ㄳ`.
  const wanted = [...folded].flatMap((letter) => (CONSONANT.test(letter) ? [...letters(letter)] : letter))
  return {
    prefix: cut(initials(wanted.join(''))),
    matches: (names) => namesOf(names).some((name) => matchesMixed([...name], wanted)),
  }
}

/** Returns a query that the index alone can serve, unless it is longer than the terms. */
function plainQuery(typed: string): NameQuery {
  const prefix = cut(typed)
  if (prefix === typed) return { prefix, matches: () => true }
  return {
    prefix,
    matches: (names) =>
      namesOf(names).some((name) => letters(name).startsWith(typed) || initials(name).startsWith(typed)),
  }
}

function matchesMixed(name: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((letter, index) => {
    const candidate = name[index]
    if (candidate === undefined) return false
    if (CONSONANT.test(letter)) return getChoseong(candidate, { keepNonHangul: true }) === letter
    const last = index === wanted.length - 1
    return last ? disassemble(candidate).startsWith(disassemble(letter)) : candidate === letter
  })
}
