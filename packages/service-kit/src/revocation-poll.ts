import { getRevocations } from '@bigtech/contracts'
import { untilTick } from '@bigtech/kafka'
import { withTimeout } from '@bigtech/stores'
import type { RevocationList } from './revocations.ts'
import { ServiceClient } from './service-client.ts'

const POLL_MS = 1_000
/** A lost response is retried immediately: 1 s + 0.5 s + another response stay within the promised 2 s. */
const TIMEOUT_MS = 500
const RETRY_MS = 50
/** How long user-service may wait for the next ended session before it responds. */
const WAIT_SECONDS = 5
/** Revocations are dated when stored and visible when committed. Longer than any such transaction. */
const OVERLAP_MS = 10_000
const ACCESS_TOKEN_MS = 10 * 60_000
/** Bounds the time over which `isNew` counts. */
const READ_EVERY_MS = 5_000

interface RevocationPage {
  /** Time of the database clock that dates the revocations. */
  readonly asOf: Date
  readonly revocations: readonly { readonly sessionId: string; readonly revokedAt: Date }[]
  readonly hasMore: boolean
}

/** Where to read ended sessions. */
export interface RevocationSource {
  /** Returns the sessions that ended at `since` or later. */
  readonly read: (since: Date) => Promise<RevocationPage>
  /** Does the same, but may wait `WAIT_SECONDS` until there are more than `known`. */
  readonly await?: (since: Date, known: number) => Promise<RevocationPage>
  /** Returns whether there are more than `known`: asked before a read that follows another one, because it is cheaper. */
  readonly isNew?: (since: Date, known: number) => Promise<boolean>
}

/**
 * Asks for ended sessions at most once a second: the path that works while Kafka is unavailable. Waits for the next one only
 * over a path that has just worked, because a lost response is noticed late.
 */
export function pollRevocations(source: RevocationSource, revocations: RevocationList): { stop(): void } {
  let since = Date.now() - ACCESS_TOKEN_MS
  let known = 0
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let failures = 0
  let mayWait = false
  let readAt = Number.NEGATIVE_INFINITY

  async function mayBeNew(): Promise<boolean> {
    if (!source.isNew || failures > 0 || performance.now() - readAt > READ_EVERY_MS) return true
    return withTimeout(source.isNew(new Date(since), known), TIMEOUT_MS, 'revocations')
  }

  async function poll(): Promise<void> {
    const ask = (mayWait && source.await) || source.read
    const timeoutMs = ask === source.await ? WAIT_SECONDS * 1_000 + TIMEOUT_MS : TIMEOUT_MS
    const page = await withTimeout(ask(new Date(since), known), timeoutMs, 'revocations')
    const unknown = page.revocations.map(({ sessionId }) => sessionId).filter((id) => !revocations.has(id))
    if (unknown.length > 0) revocations.add(unknown)
    readAt = performance.now()
    const until = page.asOf.getTime()
    since = page.hasMore ? until : Math.max(since, until - OVERLAP_MS)
    known = page.revocations.filter(({ revokedAt }) => revokedAt.getTime() >= since).length
    if (page.hasMore && !isStopped) await poll()
  }

  async function run(): Promise<void> {
    const startedAt = performance.now()
    try {
      if (await mayBeNew()) await poll()
      failures = 0
    } catch {
      // During an outage of user-service no session can end, and Kafka delivers those that ended before.
      failures++
    }
    mayWait = failures === 0
    if (isStopped) return
    const restMs = source.await ? Math.max(0, POLL_MS - (performance.now() - startedAt)) : untilTick(POLL_MS)
    timer = setTimeout(run, failures === 1 ? RETRY_MS : restMs)
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
export function remoteRevocations(
  jwksUrl: string,
): Required<Omit<RevocationSource, 'isNew'>> & { close(): Promise<void> } {
  const client = new ServiceClient({
    service: 'user-service',
    baseUrl: new URL(jwksUrl).origin,
    timeoutMs: WAIT_SECONDS * 1_000 + TIMEOUT_MS,
    // A circuit breaker would delay the list for seconds after user-service has recovered.
    breaker: false,
  })
  const read = async (query: { since: string; known: number; wait_seconds: number }) => {
    const { as_of, items, has_more } = await client.call(
      getRevocations,
      { query },
      { requestId: 'revocations' },
    )
    return {
      asOf: new Date(as_of),
      revocations: items.map(({ session_id, revoked_at }) => ({
        sessionId: session_id,
        revokedAt: new Date(revoked_at),
      })),
      hasMore: has_more,
    }
  }
  return {
    read: (since) => read({ since: since.toISOString(), known: 0, wait_seconds: 0 }),
    await: (since, known) => read({ since: since.toISOString(), known, wait_seconds: WAIT_SECONDS }),
    close: () => client.destroy(),
  }
}
