import { z } from 'zod'
import { multiLine, opaqueText, secretText, singleLine, typedText, utf8Length } from '../text/text.ts'

/** bcrypt ignores everything after 72 bytes, so longer passwords are refused instead of truncated. */
export const maxPasswordBytes = 72

/** Stored in lower case: addresses are unique regardless of case. */
export const email = z
  .string()
  .max(254, { abort: true, error: 'At most 254 characters.' })
  .regex(z.regexes.email, { abort: true, error: 'Must be an email address.' })
  .toLowerCase()
  .meta({ format: 'email', description: 'Unique regardless of case.', examples: ['test@example.com'] })

/** Scripts of living languages (UAX 31, table 5) in the allowed combinations (UTS 39, "Highly Restrictive"). */
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

/** Letters, marks and digits of one script set, `_` and `.`. */
export const username = singleLine({ min: 3, max: 20 })
  .refine((text) => /^[\p{L}\p{N}_.][\p{L}\p{M}\p{N}_.]*$/u.test(text), 'Letters, digits, `_` and `.` only.')
  .refine((text) => /[\p{L}\p{N}]/u.test(text), 'Must contain a letter or a digit.')
  .refine((text) => scriptSets.some((set) => set.test(text)), 'Must use letters of one script only.')
  .refine((text) => !/\p{Default_Ignorable_Code_Point}/u.test(text), 'Must not contain invisible characters.')
  .meta({ description: 'Unique regardless of case.', examples: ['testuser'] })

export const newPassword = secretText({ min: 8 })
  .refine((text) => utf8Length(text) <= maxPasswordBytes, `At most ${maxPasswordBytes} bytes in UTF-8.`)
  .meta({ description: 'At least 8 characters, at most 72 bytes in UTF-8.', examples: ['Test1234!@'] })

/** A password to be compared with the stored one. */
export const anyPassword = secretText({ min: 1 })

/** A code of an authenticator app, or a recovery code; spaces and hyphens are ignored. */
export const secondFactorCode = z
  .string()
  .min(6, { abort: true, error: 'At least 6 characters.' })
  .max(30, { abort: true, error: 'At most 30 characters.' })
  .regex(/^[A-Za-z0-9 -]*$/, 'May contain letters, digits, spaces and hyphens.')
  .meta({ description: 'A code of your authenticator app, or a recovery code.', examples: ['123456'] })

/** Proof that the caller owns the account, independent of the session. */
export const proofOfIdentity = {
  password: anyPassword,
  code: secondFactorCode
    .optional()
    .meta({ description: 'Required when your account has an authenticator app.', examples: ['123456'] }),
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

export const age = z
  .int('A whole number from 0 to 150.')
  .min(0, 'A whole number from 0 to 150.')
  .max(150, 'A whole number from 0 to 150.')
  .meta({ description: 'In years.', examples: [29] })

/** Whether the number exists is decided by user-service: the tables of all countries are too large for a browser. */
export const phone = z
  .string()
  .max(30, { abort: true, error: 'At most 30 characters.' })
  .regex(/^\+[0-9 ().-]{7,}$/, 'A phone number with its country code, such as +82 10-1234-5678.')
  .meta({ description: 'With the country code. Stored and shown as E.164.', examples: ['+821012345678'] })

export const locale = z
  .string()
  .regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'Must be a language with an optional country: `ko`, `en-US`.')
  .meta({ description: 'Language of mails and notices.', examples: ['ko'] })
