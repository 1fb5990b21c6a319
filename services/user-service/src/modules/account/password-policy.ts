import { Problem } from '@bigtech/service-kit'
import { dictionary } from '@zxcvbn-ts/language-common'

/** What somebody who attacks this account would try first. */
export interface OwnWords {
  readonly email: string | null
  readonly username: string
  readonly displayName: string
}

export interface PasswordPolicy {
  /** @throws Problem VALIDATION_FAILED naming `field`. */
  check(password: string, own: OwnWords, field: string): void
  /** As `check`, with the words of an account. */
  checkFor(userId: number, password: string, field: string): Promise<void>
}

/** Tens of thousands of passwords from leaks, the most common ones first. */
const common = new Set(dictionary['passwords-common'])
/** A shorter name is part of too many good passwords. */
const SHORTEST_NAME = 4
/** A name with so few other characters is hardly more than the name. */
const OTHER_CHARACTERS = 4

/** Returns why a password is refused, for a person; undefined when it is good. */
export function weaknessOf(password: string, own: OwnWords): string | undefined {
  const typed = password.toLowerCase()
  if (common.has(typed)) return 'One of the most common passwords.'
  const words = [own.email, own.email?.split('@')[0], own.username, own.displayName]
  const isOwnWord = words.some((word) => {
    const lower = word?.toLowerCase().normalize('NFC') ?? ''
    const rest = typed.length - lower.length
    return lower.length >= SHORTEST_NAME && typed.includes(lower) && rest < OTHER_CHARACTERS
  })
  return isOwnWord ? 'Your own name or address with little else.' : undefined
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
