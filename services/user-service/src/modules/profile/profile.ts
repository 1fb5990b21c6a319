import type { UserRole } from '@bigtech/contracts'
import type { PresenceVisibility } from '../presence/presence.ts'

/** One's own profile. */
export interface Profile {
  readonly userId: number
  readonly email: string
  readonly emailVerified: boolean
  readonly username: string
  readonly displayName: string
  readonly statusMessage: string | null
  readonly profileImageUrl: string | null
  readonly age: number | null
  /** E.164. */
  readonly phone: string | null
  readonly role: UserRole
  readonly createdAt: Date
}

/** What users change of their profile. */
export interface ProfileEdit {
  readonly displayName?: string | undefined
  readonly statusMessage?: string | null | undefined
  /** An uploaded avatar of the user's; null: none. */
  readonly pictureFileId?: string | null | undefined
  readonly age?: number | null | undefined
  readonly phone?: string | null | undefined
}

export interface ProfileChange {
  readonly displayName?: string | undefined
  readonly statusMessage?: string | null | undefined
  readonly profileImageUrl?: string | null | undefined
  readonly age?: number | null | undefined
  readonly phone?: string | null | undefined
}

export interface Settings {
  readonly presenceVisibility: PresenceVisibility
  readonly findableByName: boolean
  readonly findableByEmail: boolean
  readonly locale: string
}

export type SettingsChange = { readonly [Name in keyof Settings]?: Settings[Name] | undefined }

/** The state after a change; fields that the change leaves out stay. */
export function merge<State extends object>(
  state: State,
  change: { [Name in keyof State]?: State[Name] | undefined },
): State {
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  return { ...state, ...Object.fromEntries(given) }
}

export function isSame<State extends object>(a: State, b: State): boolean {
  return (Object.keys(a) as (keyof State)[]).every((name) => a[name] === b[name])
}
