import type { UserRole } from '@bigtech/contracts'
import type { PresenceVisibility } from '../presence/presence.ts'

/** A user's own profile. */
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

/** A change of a profile. */
export interface ProfileEdit {
  readonly displayName?: string | undefined
  readonly statusMessage?: string | null | undefined
  /** The file id of an uploaded avatar; null removes it. */
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

/** Returns the state after a change; omitted fields stay. */
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
