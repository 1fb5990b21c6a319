import { z } from 'zod'
import { multiLine, opaqueText, secretText, singleLine, typedText, utf8Length } from '../text/text.ts'

/** bcrypt reads no further: what is longer would be cut silently. */
export const maxPasswordBytes = 72

/** Stored in lower case: addresses are unique regardless of case. */
export const email = z
  .string()
  .max(254, { abort: true, error: 'At most 254 characters.' })
  .regex(z.regexes.email, { abort: true, error: 'An email address.' })
  .toLowerCase()
  .meta({ format: 'email', description: 'Unique regardless of case.', examples: ['test@example.com'] })

/** Scripts of living languages (UAX 31, table 5) as they may be mixed (UTS 39, "Highly Restrictive"). */
const scriptSets = [
  'Latin Han Hiragana Katakana',
  'Latin Han Bopomofo',
  'Latin Han Hangul',
  ...'Cyrillic Greek Arabic Hebrew Armenian Georgian Ethiopic Thaana Thai Lao Khmer Myanmar Tibetan'.split(
    ' ',
  ),
  ...'Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala'.split(' '),
].map((names) => {
  const classes = [...names.split(' '), 'Common', 'Inherited'].map((name) => `\\p{Script_Extensions=${name}}`)
  return new RegExp(`^[${classes.join('')}]*$`, 'u')
})

/** Letters, marks and digits of scripts that are written together, `_` and `.`. */
export const username = singleLine({ min: 3, max: 20 })
  .refine((text) => /^[\p{L}\p{N}_.][\p{L}\p{M}\p{N}_.]*$/u.test(text), 'Letters, digits, `_` and `.` only.')
  .refine((text) => /[\p{L}\p{N}]/u.test(text), 'At least one letter or digit.')
  .refine((text) => scriptSets.some((set) => set.test(text)), 'Letters of one script only.')
  .refine((text) => !/\p{Default_Ignorable_Code_Point}/u.test(text), 'No invisible characters.')
  .meta({ description: 'Unique regardless of case.', examples: ['testuser'] })

export const newPassword = secretText({ min: 8 })
  .refine((text) => utf8Length(text) <= maxPasswordBytes, `At most ${maxPasswordBytes} bytes in UTF-8.`)
  .meta({ description: 'At least 8 characters, at most 72 bytes in UTF-8.', examples: ['Test1234!@'] })

/** A password that is compared with the one that was set. */
export const anyPassword = secretText({ min: 1 })

/** A code of an authenticator app, or a recovery code; spaces and hyphens are for reading alone. */
export const secondFactorCode = z
  .string()
  .min(6, { abort: true, error: 'At least 6 characters.' })
  .max(30, { abort: true, error: 'At most 30 characters.' })
  .regex(/^[A-Za-z0-9 -]*$/, 'Letters, digits, spaces and hyphens.')
  .meta({ description: 'A code of your authenticator app, or a recovery code.', examples: ['123456'] })

/** What proves again that the caller is the owner of the account, whatever session calls. */
export const proofOfIdentity = {
  password: anyPassword,
  code: secondFactorCode
    .optional()
    .meta({ description: 'Needed when your account has an authenticator app.', examples: ['123456'] }),
}

/** Of a link that was sent by mail. */
export const linkToken = opaqueText({ max: 1_000 }).meta({
  description: 'The token of the link.',
  examples: ['eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI1ZjBjIn0.c2lnbmF0dXJl'],
})

/** An email address or a username. */
export const identifier = typedText({ max: 254 })

export const displayName = singleLine({ max: 50 }).meta({ examples: ['테스트 유저'] })

export const statusMessage = multiLine({ max: 200, min: 0 }).meta({ examples: ['휴가 중'] })

export const locale = z
  .string()
  .regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'A language, with a country or without: `ko`, `en-US`')
  .meta({ description: 'Language of mails and notices.', examples: ['ko'] })
