import type { Actor } from './context.ts'
import { Problem } from './problem.ts'
import type { RevocationList } from './revocations.ts'

/** How long a token is accepted after its key was checked: the delay until a withdrawn key takes effect. */
const TRUSTED_MS = 5_000

interface Entry {
  readonly actor: Actor
  readonly trustedUntil: number
}

/** The actors of tokens that were verified in the last 5 s: parsing and hashing a token costs more than most requests. */
export class TrustedTokens {
  readonly #revocations: RevocationList
  readonly #max: number
  readonly #entries = new Map<string, Entry>()

  /** @param max number of tokens kept */
  constructor(revocations: RevocationList, max: number) {
    this.#revocations = revocations
    this.#max = max
  }

  /**
   * Returns the actor of a token, undefined when the token must be verified.
   * @throws Problem SESSION_REVOKED
   */
  actorOf(token: string): Actor | undefined {
    const known = this.#entries.get(token)
    if (!known) return undefined
    if (known.trustedUntil <= Date.now()) {
      this.#entries.delete(token)
      return undefined
    }
    if (this.#revocations.has(known.actor.sessionId)) throw new Problem('SESSION_REVOKED')
    return known.actor
  }

  /** Records the actor of a token that has just been verified. */
  add(token: string, actor: Actor): void {
    // Emptying costs one verification per token and needs no order.
    if (this.#entries.size >= this.#max) this.#entries.clear()
    const trustedUntil = Math.min(Date.now() + TRUSTED_MS, actor.expiresAt * 1_000)
    this.#entries.set(token, { actor, trustedUntil })
  }
}
