/**
 * Ended sessions whose access tokens have not expired yet. An entry expires one token lifetime after its
 * receipt, not after the revocation: the clock of the revoking process may be behind, and the entry would
 * expire before the tokens.
 */
export class RevocationList {
  readonly #expiryBySession = new Map<string, number>()
  readonly #listeners = new Set<(sessionIds: readonly string[]) => void>()
  readonly #tokenLifetimeMs: number

  /** @param tokenLifetimeMs lifetime of an access token */
  constructor(tokenLifetimeMs = 10 * 60 * 1_000) {
    this.#tokenLifetimeMs = tokenLifetimeMs
  }

  add(sessionIds: readonly string[]): void {
    const now = Date.now()
    const expiry = now + this.#tokenLifetimeMs
    for (const [id, end] of this.#expiryBySession) {
      // A Map iterates in insertion order, which is also the order of expiry.
      if (end > now) break
      this.#expiryBySession.delete(id)
    }
    for (const id of sessionIds) this.#expiryBySession.set(id, expiry)
    for (const listener of this.#listeners) listener(sessionIds)
  }

  has(sessionId: string): boolean {
    return this.#expiryBySession.has(sessionId)
  }

  /** Registers a listener for ended sessions, whose open streams must be closed. */
  onRevoked(listener: (sessionIds: readonly string[]) => void): void {
    this.#listeners.add(listener)
  }
}
