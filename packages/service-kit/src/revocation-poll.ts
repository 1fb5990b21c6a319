import { getRevocations } from '@bigtech/contracts'
import { withTimeout } from '@bigtech/stores'
import type { RevocationList } from './revocations.ts'
import { ServiceClient } from './service-client.ts'

const POLL_MS = 1_000
/** A lost response is retried immediately: 1 s + 0.5 s + another response stay within the promised 2 s. */
const TIMEOUT_MS = 500
const RETRY_MS = 50
/** Revocations are dated when stored and visible when committed. Longer than any such transaction. */
const OVERLAP_MS = 10_000
const ACCESS_TOKEN_MS = 10 * 60_000

interface RevocationPage {
  /** Time of the database clock that dates the revocations. */
  readonly asOf: Date
  readonly sessionIds: readonly string[]
  readonly hasMore: boolean
}

/** Returns the sessions that ended at `since` or later. */
export type ReadRevocations = (since: Date) => Promise<RevocationPage>

/** Polls once a second for ended sessions: the path that works while Kafka is unavailable. */
export function pollRevocations(read: ReadRevocations, revocations: RevocationList): { stop(): void } {
  let since = Date.now() - ACCESS_TOKEN_MS
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let failures = 0

  async function poll(): Promise<void> {
    const { asOf, sessionIds, hasMore } = await withTimeout(read(new Date(since)), TIMEOUT_MS, 'revocations')
    const unknown = sessionIds.filter((id) => !revocations.has(id))
    if (unknown.length > 0) revocations.add(unknown)
    const until = asOf.getTime()
    since = hasMore ? until : Math.max(since, until - OVERLAP_MS)
    if (hasMore && !isStopped) await poll()
  }

  async function run(): Promise<void> {
    try {
      await poll()
      failures = 0
    } catch {
      // During an outage of user-service no session can end, and Kafka delivers those that ended before.
      failures++
    }
    if (isStopped) return
    timer = setTimeout(run, failures === 1 ? RETRY_MS : POLL_MS)
    timer.unref()
  }

  void run()
  return {
    stop: () => {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

/**
 * Asks user-service. Trusted as its key set is, over the same connection.
 *
 * @param jwksUrl URL of the key set; the revocation list is next to it
 */
export function remoteRevocations(jwksUrl: string): { read: ReadRevocations; close(): Promise<void> } {
  const client = new ServiceClient({
    service: 'user-service',
    baseUrl: new URL(jwksUrl).origin,
    timeoutMs: TIMEOUT_MS,
    // A circuit breaker would delay the list for seconds after user-service has recovered.
    breaker: false,
  })
  return {
    read: async (since) => {
      const query = { since: since.toISOString() }
      const { as_of, items, has_more } = await client.call(
        getRevocations,
        { query },
        { requestId: 'revocations' },
      )
      return {
        asOf: new Date(as_of),
        sessionIds: items.map(({ session_id }) => session_id),
        hasMore: has_more,
      }
    },
    close: () => client.close(),
  }
}
