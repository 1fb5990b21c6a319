import { Problem } from '@bigtech/service-kit'

/** A user's mute after the decision with the given number. */
export interface Mute {
  readonly userId: number
  /** Null: lifted. */
  readonly mutedUntil: Date | null
  readonly decisionId: number
}

/** The year that represents a mute without an end. */
const FOREVER_YEAR = 9999

/** Users muted by moderators, all in memory because every send checks them. Event and database may each be stale. */
export class MutedUsers {
  readonly #mutes = new Map<number, Mute>()
  readonly #read: (userIds: readonly number[]) => Promise<readonly Mute[]>

  /** @param read returns the mutes in force and the current decisions about the given users, from the local copy */
  constructor(read: (userIds: readonly number[]) => Promise<readonly Mute[]>) {
    this.#read = read
  }

  /** Loads decisions made before this process started or missed since. */
  async refresh(): Promise<void> {
    for (const mute of await this.#read([...this.#mutes.keys()])) this.note(mute)
    const now = new Date()
    for (const [userId, { mutedUntil }] of this.#mutes) {
      if (mutedUntil !== null && mutedUntil <= now) this.#mutes.delete(userId)
    }
  }

  note(mute: Mute): void {
    const known = this.#mutes.get(mute.userId)
    if (!known || known.decisionId <= mute.decisionId) this.#mutes.set(mute.userId, mute)
  }

  /** Rejects muted users. @throws Problem ACCOUNT_MUTED */
  assertNotMuted(userId: number): void {
    const until = this.#mutes.get(userId)?.mutedUntil
    if (!until || until <= new Date()) return
    const time =
      until.getUTCFullYear() >= FOREVER_YEAR ? 'until further notice' : `until ${until.toISOString()}`
    throw new Problem('ACCOUNT_MUTED', { detail: `A moderator has muted your account ${time}.` })
  }
}
