import { foldText } from '@bigtech/contracts'
import { disassemble, getChoseong } from 'es-hangul'

/** Letters of a term: enough for a dozen syllables, and a cursor with a term in it stays short. */
const MAX_TERM = 30

/** Of a display name; a name of more words is found by its first ones. */
const MAX_STARTS = 6
const HANGUL_NAME = /^[가-힣]{2,5}$/u

/**
 * Where a search may begin in a display name: at each word, and in a Korean name at the given name,
 * after a family name of one syllable or, in longer names, of two (`준오` for 박준오, `민수` for 남궁민수).
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

/** Syllables as the letters that are typed for them, so that a half-typed one is a beginning too. */
function letters(text: string): string {
  return disassemble(text)
}

/** `김민지` -> `ㄱㅁㅈ`; what is not Hangul stays as it is. */
function initials(text: string): string {
  return getChoseong(text, { keepNonHangul: true })
}

/** Without a space at the end: to the index it would be the same term as without it. */
function cut(text: string): string {
  return [...text].slice(0, MAX_TERM).join('').trimEnd()
}

/** Everything a search for this user may begin with. */
export function searchTermsOf(names: { username: string; displayName: string }): string[] {
  const terms = namesOf(names).flatMap((name) => [cut(letters(name)), cut(initials(name))])
  return [...new Set(terms)].filter(Boolean)
}

const SYLLABLE = /[가-힣]/u
const CONSONANT = /[ㄱ-ㅎ]/u

export interface NameQuery {
  /** What a term must begin with. */
  readonly prefix: string
  /** Whether a user whose term does is really one: a mixed query is narrowed by initials first. */
  matches(names: { username: string; displayName: string }): boolean
}

/** Reads what somebody typed. `김ㅁㅈ` mixes syllables and initials and is compared letter by letter. */
export function nameQuery(text: string): NameQuery {
  const folded = foldText(text)
  const mixed = SYLLABLE.test(folded) && CONSONANT.test(folded)
  if (!mixed) return plainQuery(letters(folded))
  // Keyboards make one letter of some pairs of consonants: `김ㄳ` is what somebody gets who types `김ㄱㅅ`.
  const wanted = [...folded].flatMap((letter) => (CONSONANT.test(letter) ? [...letters(letter)] : letter))
  return {
    prefix: cut(initials(wanted.join(''))),
    matches: (names) => namesOf(names).some((name) => matchesMixed([...name], wanted)),
  }
}

/** The index tells everything, unless more was typed than it holds. */
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
