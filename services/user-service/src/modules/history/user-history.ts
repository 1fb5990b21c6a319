/** What the history of a user tells of the row. Not the rest: see docs/architecture/patterns.md. */
export interface UserState {
  readonly email: string | null
  readonly username: string
  readonly displayName: string
  readonly statusMessage: string | null
  readonly profileImageUrl: string | null
  readonly age: number | null
  readonly phone: string | null
  readonly locale: string
  readonly presenceVisibility: string
  readonly findableByName: boolean
  readonly findableByEmail: boolean
  readonly status: string
  readonly role: string
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly emailVerifiedAt: Date | null
  readonly usernameChangedAt: Date | null
  readonly loginCount: number
  readonly lastLoginAt: Date | null
  readonly devicesTrustedFrom: Date | null
}

export type UserEventType =
  | 'registered'
  | 'activated'
  | 'signed_in'
  | 'profile_updated'
  | 'settings_updated'
  | 'username_changed'
  | 'email_verified'
  | 'email_changed'
  | 'identity_linked'
  | 'password_reset'
  | 'devices_forgotten'
  | 'role_changed'
  | 'deletion_requested'
  | 'deletion_cancelled'
  | 'deletion_started'
  | 'erased'
  /** Everything, as it was: for users from before their history, and in place of a history that was wrong. */
  | 'snapshot'

/** An event as it is stored. `data` is JSON: the fields that it set. */
export interface StoredUserEvent {
  readonly type: string
  readonly data: string
}

/** Name of each field, and how its JSON value is read. */
const readers: { readonly [Name in keyof UserState]: (value: unknown) => unknown } = {
  ...{ email: asIs, username: asIs, displayName: asIs, statusMessage: asIs, profileImageUrl: asIs },
  ...{ age: asIs, phone: asIs, locale: asIs, presenceVisibility: asIs, status: asIs, role: asIs },
  ...{ loginCount: asIs, findableByName: Boolean, findableByEmail: Boolean },
  ...{ createdAt: date, updatedAt: date, emailVerifiedAt: date, usernameChangedAt: date },
  ...{ lastLoginAt: date, devicesTrustedFrom: date },
}
const fields = Object.keys(readers) as (keyof UserState)[]

/** What an account has before anything is said of it. */
const initial = {
  ...{ email: null, statusMessage: null, profileImageUrl: null, age: null, phone: null },
  ...{ presenceVisibility: 'everyone', findableByName: true, findableByEmail: false },
  ...{ status: 'active', role: 'user', loginCount: 0, lastLoginAt: null },
  ...{ emailVerifiedAt: null, usernameChangedAt: null, devicesTrustedFrom: null },
}

/** Returns the row that the events of a user lead to; null without any. Every event sets fields, so the newest one wins. */
export function foldUserEvents(events: readonly StoredUserEvent[]): UserState | null {
  if (events.length === 0) return null
  const state: Record<string, unknown> = { ...initial }
  for (const { data } of events) {
    const set = JSON.parse(data) as Record<string, unknown>
    for (const name of fields) if (name in set) state[name] = readers[name](set[name])
  }
  return state as unknown as UserState
}

/** Returns the part of a row that its history tells. */
export function stateOf(row: UserState): UserState {
  return Object.fromEntries(fields.map((name) => [name, row[name]])) as unknown as UserState
}

/** Returns the fields in which a row is not what its history says. */
export function differences(row: UserState, history: UserState): (keyof UserState)[] {
  return fields.filter((name) => JSON.stringify(row[name]) !== JSON.stringify(history[name]))
}

function asIs(value: unknown): unknown {
  return value
}

function date(value: unknown): Date | null {
  return value === null ? null : new Date(value as string)
}
