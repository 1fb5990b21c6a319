import { z } from 'zod'

/**
 * The rules for every text field of every contract: well-formed Unicode in NFC, without control characters or
 * long runs of combining marks, with at least one visible character.
 *
 * Every schema checks the length first and aborts there, so that later checks and the normalization work on
 * bounded input: `normalize` takes quadratic time on a run of combining marks.
 */

/** No script needs more combining marks on one character (UAX 15, Stream-Safe Text Format). */
const MAX_MARKS = 30
const marks = /\p{M}+/gu
const control = /[\p{Cc}\p{Noncharacter_Code_Point}]/u
/** Reverse the text after them: `gpj.exe` for `exe.jpg`. */
const directionOverride = /[\u202d\u202e]/u
/** In a name they would also change the surrounding text. */
const directionControl = /[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
const visible = /[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u
/** Line terminators of all systems; form feed and vertical tab occur in text pasted from word processors. */
const lineBreak = /\r\n|[\r\v\f\u0085\u2028\u2029]/g
const blank = /[\p{Z}\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu

/** UTF-16 units of the longest accepted input per character of the result: decomposed Hangul takes three. */
const RAW_UNITS_PER_CHARACTER = 4

export interface TextLength {
  /** Characters (code points) of the normalized text. */
  readonly max: number
  /** 0 allows empty text. */
  readonly min?: number
}

/** Returns the number of characters (code points) of a text. */
export function characterCount(text: string): number {
  let count = 0
  for (const _character of text) count++
  return count
}

const encoder = new TextEncoder()
/** Returns the number of bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length
}

/** Returns whether a text has visible characters: not only spaces, fillers, joiners and combining marks. */
export function isVisible(text: string): boolean {
  return visible.test(text)
}

function longestRunOfMarks(text: string): number {
  return Math.max(0, ...(text.match(marks) ?? []).map(characterCount))
}

/** Returns a schema of a string of bounded size that is safe to normalize. Aborts on the first failure. */
function boundedText(maxUnits: number, tooLong: string) {
  return z
    .string()
    .max(maxUnits, { abort: true, error: tooLong })
    .refine((text) => text.isWellFormed(), {
      abort: true,
      error: 'Must be valid Unicode: contains a lone surrogate.',
    })
    .refine((text) => longestRunOfMarks(text) <= MAX_MARKS, {
      abort: true,
      error: 'At most 30 combining marks on one character.',
    })
}

function textOf({ max, min = 1 }: TextLength, canonical: (text: string) => string) {
  const tooLong = `At most ${max} characters.`
  return boundedText(max * RAW_UNITS_PER_CHARACTER, tooLong)
    .overwrite(canonical)
    .refine((text) => characterCount(text) <= max, { abort: true, error: tooLong })
    .refine((text) => (text === '' ? min === 0 : isVisible(text)), {
      abort: true,
      error: 'Must contain a visible character.',
    })
    .refine((text) => characterCount(text) >= min, `At least ${min} characters.`)
    .meta({ maxLength: max, ...(min > 0 ? { minLength: min } : {}) })
}

/**
 * Returns a schema of single-line text (a name, a title, a file name): trimmed, without line breaks and
 * direction controls.
 */
export function singleLine(length: TextLength) {
  return textOf(length, (text) => text.normalize('NFC').trim())
    .refine((text) => !control.test(text), 'Must not contain control characters or line breaks.')
    .refine(
      (text) => !directionControl.test(text),
      'Must not contain characters that change the text direction.',
    )
}

/** Returns a schema of multi-line text (a message): line breaks become `\n`, tabs stay. */
export function multiLine(length: TextLength) {
  return textOf(length, (text) => text.normalize('NFC').replace(lineBreak, '\n'))
    .refine((text) => !control.test(text.replace(/[\n\t]/g, '')), 'Must not contain control characters.')
    .refine(
      (text) => !directionOverride.test(text),
      'Must not contain characters that override the text direction.',
    )
}

/** Returns a schema of text typed to find or identify something: white space and controls become one space. */
export function typedText(length: TextLength) {
  return textOf(length, (text) => text.normalize('NFC').replace(blank, ' ').trim())
}

/**
 * A password, in NFC so that the same password typed on another keyboard is the same bytes.
 */
export function secretText({ min }: { min: number }) {
  return boundedText(1_024, 'At most 1024 characters.')
    .overwrite((text) => text.normalize('NFC'))
    .refine((text) => characterCount(text) >= min, `At least ${min} characters.`)
    .refine((text) => !text.includes('\0'), 'No NUL characters.')
    .meta({ minLength: min, maxLength: 1_024 })
}

/** Returns a schema of a token, cursor or key that clients return unchanged: printable ASCII. */
export function opaqueText({ max, min = 1 }: TextLength) {
  return z
    .string()
    .min(min, { abort: true })
    .max(max, { abort: true, error: `At most ${max} characters.` })
    .regex(/^[\x21-\x7e]*$/, 'Must be printable ASCII, exactly as issued.')
}

/**
 * An absolute http(s) URL, stored as WHATWG writes it: `https://예시.한국/사진 1.png` becomes
 * `https://xn--vv4b11d.xn--3e0b707e/%EC%82%AC%EC%A7%84%201.png`.
 * @param max UTF-16 units of what comes in, and of the normalized URL
 */
export function webUrl(max: number) {
  const tooLong = `At most ${max} characters.`
  return z
    .string()
    .max(max, { abort: true, error: tooLong })
    .refine((text) => text.isWellFormed() && isWebUrl(text), {
      abort: true,
      error: 'Must be a URL that begins with http:// or https://.',
    })
    .overwrite((text) => new URL(text).href)
    .refine((text) => text.length <= max, `At most ${max} characters when percent-encoded.`)
    .meta({ format: 'uri', maxLength: max })
}

function isWebUrl(text: string): boolean {
  if (!/^\s*https?:\/\//i.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}
