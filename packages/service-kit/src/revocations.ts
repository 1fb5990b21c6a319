/**
 * Sessions that ended while access tokens of theirs are still valid. An entry is needed only until the last
 * such token has expired. Its time runs from when this process heard of it: the clock of the process that ended
 * the session may be behind, and then the entry would be gone before the tokens.
 */
export class RevocationList {
  readonly #expiryBySession = new Map<string, number>()
  readonly #listeners = new Set<(sessionIds: readonly string[]) => void>()
  readonly #tokenLifetimeMs: number

  /** @param tokenLifetimeMs how long an access token lives. */
  constructor(tokenLifetimeMs = 10 * 60 * 1_000) {
    this.#tokenLifetimeMs = tokenLifetimeMs
  }

  add(sessionIds: readonly string[]): void {
    const now = Date.now()
    const expiry = now + this.#tokenLifetimeMs
    for (const [id, end] of this.#expiryBySession) {
      // A Map iterates oldest first, and the oldest expire first.
      if (end > now) break
      this.#expiryBySession.delete(id)
    }
    for (const id of sessionIds) this.#expiryBySession.set(id, expiry)
    for (const listener of this.#listeners) listener(sessionIds)
  }

  has(sessionId: string): boolean {
    return this.#expiryBySession.has(sessionId)
  }

  /** Called with the sessions that have just ended: open streams of theirs must close. */
  onRevoked(listener: (sessionIds: readonly string[]) => void): void {
    this.#listeners.add(listener)
  }
}
