import { Problem } from '@bigtech/service-kit'
import { dictionary } from '@zxcvbn-ts/language-common'

/** Words that an attacker of this account would try first. */
export interface OwnWords {
  readonly email: string | null
  readonly username: string
  readonly displayName: string
}

export interface PasswordPolicy {
  /** Checks a password. @throws Problem VALIDATION_FAILED naming `field` */
  check(password: string, own: OwnWords, field: string): void
  /** Like `check`, with the words of an account. */
  checkFor(userId: number, password: string, field: string): Promise<void>
}

/** Tens of thousands of leaked passwords, most common first. */
const common = new Set(dictionary['passwords-common'])
/** Minimum length: shorter names are part of too many good passwords. */
const SHORTEST_NAME = 4
/** A name with at most this many additional characters counts as the name. */
const OTHER_CHARACTERS = 4

/** Returns the reason for rejecting a password, for display; undefined for an accepted one. */
export function weaknessOf(password: string, own: OwnWords): string | undefined {
  const typed = password.toLowerCase()
  if (common.has(typed)) return 'This is one of the most common passwords.'
  const words = [own.email, own.email?.split('@')[0], own.username, own.displayName]
  const isOwnWord = words.some((word) => {
    const lower = word?.toLowerCase().normalize('NFC') ?? ''
    const rest = typed.length - lower.length
    return lower.length >= SHORTEST_NAME && typed.includes(lower) && rest < OTHER_CHARACTERS
  })
  return isOwnWord ? 'This is little more than your name or address.' : undefined
}

export function createPasswordPolicy(wordsOf: (userId: number) => Promise<OwnWords | null>): PasswordPolicy {
  const check = (password: string, own: OwnWords, field: string) => {
    const message = weaknessOf(password, own)
    if (message) throw new Problem('VALIDATION_FAILED', { errors: [{ field, message }] })
  }
  return {
    check,
    checkFor: async (userId, password, field) => {
      const own = await wordsOf(userId)
      if (own) check(password, own, field)
    },
  }
}
