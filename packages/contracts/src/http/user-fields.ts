import { z } from 'zod'

/** bcrypt reads no further than this. */
export const MAX_PASSWORD_BYTES = 72

/** How long a password is to bcrypt. */
export function passwordBytes(password: string): number {
  return new TextEncoder().encode(password).length
}

const invisible = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u

/** Letters that are drawn as nothing (fillers, selectors): with one, a name looks like somebody else's. */
const unseen = /\p{Default_Ignorable_Code_Point}/u
/** One character at least that leaves ink. */
const ink = /[^\p{Z}\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

/** Stored in lower case: addresses are unique regardless of case. */
export const email = z
  .email()
  .max(254)
  .toLowerCase()
  .meta({ description: 'Unique regardless of case.', examples: ['test@example.com'] })

/** Letters, marks and digits of any script, `_` and `.`. */
export const username = z
  .string()
  .normalize('NFC')
  .regex(/^[\p{L}\p{M}\p{N}_.]{3,20}$/u, '3 to 20 letters, digits, `_` or `.`')
  .refine((text) => !unseen.test(text), 'No invisible characters.')
  .meta({ description: 'Unique regardless of case.', examples: ['testuser'] })

/** Normalised, so that the same password typed on another keyboard is the same bytes. */
export const newPassword = z
  .string()
  .normalize('NFC')
  .refine((text) => [...text].length >= 8, 'At least 8 characters.')
  .refine((text) => passwordBytes(text) <= MAX_PASSWORD_BYTES, 'At most 72 bytes in UTF-8.')
  .refine((text) => !text.includes('\0'), 'No NUL characters.')
  .meta({ description: 'At least 8 characters, at most 72 bytes in UTF-8.', examples: ['Test1234!@'] })

export const displayName = z
  .string()
  .normalize('NFC')
  .trim()
  .min(1)
  .max(50)
  .refine((text) => !invisible.test(text), 'No control characters.')
  .refine((text) => ink.test(text), 'At least one visible character.')
  .meta({ examples: ['테스트 유저'] })

export const statusMessage = z
  .string()
  .normalize('NFC')
  .trim()
  .max(200)
  .refine((text) => !invisible.test(text.replaceAll('\n', '')), 'No control characters.')
  .meta({ examples: ['휴가 중'] })

export const profileImageUrl = z
  .url({ protocol: /^https?$/, hostname: /\S/ })
  .max(500)
  .meta({ examples: ['https://cdn.example.com/u/100.webp'] })

export const locale = z
  .string()
  .regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'A language, with a country or without: `ko`, `en-US`')
  .meta({ description: 'Language of mails and notices.', examples: ['ko'] })
