import { Problem } from '@bigtech/service-kit'
import type { CutReason, StreamConnection } from './connection.ts'

export interface RegistryLimits {
  readonly perUser: number
  readonly perProcess: number
}

/** The streams that are open on this process, by user. */
export class StreamRegistry {
  readonly #limits: RegistryLimits
  readonly #byUser = new Map<number, Set<StreamConnection>>()
  readonly #onCount: (userId: number, open: number) => void
  #size = 0

  /** @param onCount told whenever the number of a user's streams has changed */
  constructor(limits: RegistryLimits, onCount: (userId: number, open: number) => void) {
    this.#limits = limits
    this.#onCount = onCount
  }

  get size(): number {
    return this.#size
  }

  get userIds(): number[] {
    return [...this.#byUser.keys()]
  }

  get all(): StreamConnection[] {
    return [...this.#byUser.values()].flatMap((connections) => [...connections])
  }

  of(userId: number): readonly StreamConnection[] {
    return [...(this.#byUser.get(userId) ?? [])]
  }

  has(userId: number): boolean {
    return this.#byUser.has(userId)
  }

  /** @throws Problem STREAM_LIMIT, OVERLOADED */
  requireRoom(userId: number): void {
    const { perUser, perProcess } = this.#limits
    if (this.of(userId).length >= perUser) throw new Problem('STREAM_LIMIT', { retryAfterSeconds: 5 })
    if (this.#size >= perProcess) throw new Problem('OVERLOADED', { retryAfterSeconds: 5 })
  }

  add(connection: StreamConnection): void {
    const { userId } = connection
    const mine = this.#byUser.get(userId) ?? new Set()
    this.#byUser.set(userId, mine.add(connection))
    this.#size++
    this.#onCount(userId, mine.size)
  }

  remove(connection: StreamConnection): void {
    const { userId } = connection
    const mine = this.#byUser.get(userId)
    if (!mine?.delete(connection)) return
    if (mine.size === 0) this.#byUser.delete(userId)
    this.#size--
    this.#onCount(userId, mine.size)
  }

  closeSessions(sessionIds: readonly string[], reason: CutReason): void {
    const ended = new Set(sessionIds)
    for (const connection of this.all) if (ended.has(connection.sessionId)) connection.finish(reason)
  }
}
