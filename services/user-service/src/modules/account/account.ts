import { usernameKey } from './username.ts'

/** What sign-in and the registration know of a user: a login with a name. */
export interface Account {
  readonly userId: number
  readonly email: string
  readonly username: string
  readonly displayName: string
  readonly locale: string
  readonly createdAt: Date
}

/** An account with what is needed to check a password. */
export interface Login {
  readonly userId: number
  readonly username: string
  /** Null for somebody who signed up with an identity provider and has set no password. */
  readonly passwordHash: string | null
  /** An authenticator app is on: the password alone does not sign in. */
  readonly needsCode: boolean
  /** Device tokens from before this moment are worth nothing. */
  readonly devicesTrustedFrom: Date | null
}

/** Whether an account's owner can still sign in: `leaving` is one whose deletion can be taken back. */
export function canSignIn(status: string): boolean {
  return status === 'active' || status === 'leaving'
}

/** Somebody signs in with an address or a username; a username never contains an `@`. */
export function readIdentifier(identifier: string): { email: string } | { usernameKey: string } {
  return identifier.includes('@')
    ? { email: identifier.toLowerCase() }
    : { usernameKey: usernameKey(identifier) }
}

/** Returns the form of a typed address or username under which sign-in attempts are counted. */
export function identifierKey(identifier: string): string {
  const key = readIdentifier(identifier)
  return 'email' in key ? key.email : key.usernameKey
}
