import type { RevocationList } from '@bigtech/service-kit'
import type { RevocationPage, RevocationsRepository } from './revocations.repository.ts'

/** Limits the memory of waiting requests; others get their response at once and poll. */
const MAX_WAITING = 1_000

export interface RevocationQuery {
  readonly since: Date
  /** Number of sessions that ended since then which the caller already knows. */
  readonly known: number
  /** How long to wait for another one at most, in milliseconds. */
  readonly waitMs: number
}

/** Answers services that wait for the next ended session (long polling). */
export class RevocationNews {
  readonly #repository: Pick<RevocationsRepository, 'since'>
  readonly #waiting = new Set<() => void>()
  #isStopped = false

  /** @param list gets every ended session after its commit, whichever process ended it */
  constructor(repository: Pick<RevocationsRepository, 'since'>, list: RevocationList) {
    this.#repository = repository
    list.onRevoked(() => this.#respondToAll())
  }

  /** Returns the sessions ended since then, as soon as there is one that the caller does not know, or after at most `waitMs`. */
  async since({ since, known, waitMs }: RevocationQuery): Promise<RevocationPage> {
    const mayWait = waitMs > 0 && !this.#isStopped && this.#waiting.size < MAX_WAITING
    // Listens before the query, so that a session which ends during the query is not missed.
    const news = mayWait ? this.#listen(waitMs) : undefined
    try {
      const page = await this.#repository.since(since)
      if (!news || page.hasMore || page.revocations.length > known) return page
      return (await news.arrived) ? await this.#repository.since(since) : page
    } finally {
      news?.cancel()
    }
  }

  /** Responds to every waiting request, and lets none wait from now on. */
  stop(): void {
    this.#isStopped = true
    this.#respondToAll()
  }

  #respondToAll(): void {
    for (const respond of this.#waiting) respond()
  }

  #listen(waitMs: number): { readonly arrived: Promise<boolean>; cancel(): void } {
    const { promise: arrived, resolve } = Promise.withResolvers<boolean>()
    const respond = () => resolve(true)
    const timer = setTimeout(() => resolve(false), untilLastMultiple(waitMs))
    this.#waiting.add(respond)
    const cancel = () => {
      clearTimeout(timer)
      this.#waiting.delete(respond)
    }
    return { arrived, cancel }
  }
}

/**
 * Returns the time until the last multiple of `waitMs` within `waitMs`: requests that wait equally long end together, and their
 * services ask again together. Each end wakes this process.
 */
function untilLastMultiple(waitMs: number): number {
  const now = performance.now()
  return Math.floor((now + waitMs) / waitMs) * waitMs - now
}
