import { Problem } from '@bigtech/service-kit'
import type { StreamSession } from './stream-session.ts'

export interface StreamLimits {
  /** Maximum per user and process; a new stream replaces the oldest. */
  readonly perUser: number
  readonly perProcess: number
}

/** Delay that prevents replaced clients from replacing each other in a loop. */
const REPLACED_DELAY_MS = 60_000

/** The open streams of this process. */
export class StreamHub {
  readonly #limits: StreamLimits
  /** By user, oldest first. */
  readonly #byUser = new Map<number, Set<StreamSession>>()
  readonly #byId = new Map<string, StreamSession>()
  readonly #onCount: (userId: number) => void

  /** @param onCount called when a user's number of streams has changed */
  constructor(limits: StreamLimits, onCount: (userId: number) => void) {
    this.#limits = limits
    this.#onCount = onCount
  }

  get size(): number {
    return this.#byId.size
  }

  get userIds(): number[] {
    return [...this.#byUser.keys()]
  }

  get all(): StreamSession[] {
    return [...this.#byId.values()]
  }

  of(userId: number): readonly StreamSession[] {
    return [...(this.#byUser.get(userId) ?? [])]
  }

  find(streamId: string): StreamSession | undefined {
    return this.#byId.get(streamId)
  }

  /** Adds a stream. @throws Problem OVERLOADED */
  add(session: StreamSession): void {
    const { userId } = session
    const { perUser, perProcess } = this.#limits
    const oldest = this.of(userId)
    for (const surplus of oldest.slice(0, Math.max(0, oldest.length + 1 - perUser))) {
      const delay_ms = Math.floor(REPLACED_DELAY_MS * (1 + Math.random()))
      surplus.close('replaced', { event: 'reconnect', data: { delay_ms } })
    }
    if (this.size >= perProcess) throw new Problem('OVERLOADED', { retryAfterSeconds: 5 })
    const sessions = this.#byUser.get(userId) ?? new Set()
    this.#byUser.set(userId, sessions.add(session))
    this.#byId.set(session.id, session)
    this.#onCount(userId)
  }

  remove(session: StreamSession): void {
    const { userId } = session
    const sessions = this.#byUser.get(userId)
    if (!sessions?.delete(session)) return
    if (sessions.size === 0) this.#byUser.delete(userId)
    this.#byId.delete(session.id)
    this.#onCount(userId)
  }

  /** Closes the streams of ended sessions. */
  closeLogins(loginIds: readonly string[]): void {
    const ended = new Set(loginIds)
    for (const session of this.all) if (ended.has(session.loginId)) session.close('session_revoked')
  }
}
