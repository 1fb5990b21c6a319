import { getRevocations } from '@bigtech/contracts'
import type { RevocationList } from './revocations.ts'
import { ServiceClient } from './service-client.ts'

const POLL_MS = 1_000
/** A lost answer is asked for again at once: 1 s + 0.5 s + another answer stay within the promised 2 s. */
const TIMEOUT_MS = 500
const RETRY_MS = 50
/** A revocation is dated when it is stored and seen when it commits. Longer than any such transaction takes. */
const OVERLAP_MS = 10_000
const ACCESS_TOKEN_MS = 10 * 60_000

/**
 * Asks user-service which sessions have ended: the path that works while Kafka is away. Trusted as its key set is,
 * over the same connection.
 *
 * @param jwksUrl where the key set is; the list is beside it
 */
export function pollRevocations(jwksUrl: string, revocations: RevocationList): { stop(): Promise<void> } {
  const client = new ServiceClient({
    service: 'user-service',
    baseUrl: new URL(jwksUrl).origin,
    timeoutMs: TIMEOUT_MS,
    // The breaker would keep the list unread for seconds after user-service is back.
    breaker: false,
  })
  let since = Date.now() - ACCESS_TOKEN_MS
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  async function poll(): Promise<void> {
    const query = { since: new Date(since).toISOString() }
    const { as_of, items, has_more } = await client.call(
      getRevocations,
      { query },
      { requestId: 'revocations' },
    )
    for (const { session_id } of items) {
      if (!revocations.has(session_id)) revocations.add([session_id])
    }
    const until = Date.parse(as_of)
    since = has_more ? until : Math.max(since, until - OVERLAP_MS)
    if (has_more && !isStopped) await poll()
  }

  let failures = 0
  const run = async () => {
    try {
      await poll()
      failures = 0
    } catch {
      // user-service is away: nobody can end a session there meanwhile, and Kafka tells of those ended before.
      failures++
    }
    if (isStopped) return
    timer = setTimeout(run, failures === 1 ? RETRY_MS : POLL_MS)
    timer.unref()
  }
  void run()
  return {
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await client.close()
    },
  }
}
