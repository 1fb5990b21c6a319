import { usernameKey } from './username.ts'

/** An account as needed by sign-in and registration. */
export interface Account {
  readonly userId: number
  readonly email: string
  readonly username: string
  readonly displayName: string
  readonly locale: string
  readonly createdAt: Date
}

/** An account with the data for checking a password. */
export interface Login {
  readonly userId: number
  readonly username: string
  /** Null for a user who signed up with an identity provider and has no password. */
  readonly passwordHash: string | null
  /** An authenticator app is on: the password alone is not sufficient. */
  readonly needsCode: boolean
  /** Device tokens issued before this time are not trusted. */
  readonly devicesTrustedFrom: Date | null
}

/** Returns whether the owner can still sign in: `leaving` is an account whose deletion can be cancelled. */
export function canSignIn(status: string): boolean {
  return status === 'active' || status === 'leaving'
}

/** Parses a sign-in identifier: an address or a username, which never contains an `@`. */
export function readIdentifier(identifier: string): { email: string } | { usernameKey: string } {
  return identifier.includes('@')
    ? { email: identifier.toLowerCase() }
    : { usernameKey: usernameKey(identifier) }
}

/** Returns the canonical form of an identifier, under which sign-in attempts are counted. */
export function identifierKey(identifier: string): string {
  const key = readIdentifier(identifier)
  return 'email' in key ? key.email : key.usernameKey
}
