/** What became of the requests of one kind. */
export interface Row {
  requests: number
  /** Requests that needed more than one attempt. */
  repeated: number
  /** Requests without a successful response after all attempts. */
  failed: number
  longestMs: number
  /** Number of failed attempts by status, or by the name of the network error. */
  readonly attempts: Map<string, number>
}

export interface Call {
  readonly method: string
  readonly url: string
  readonly token: string
  readonly json?: unknown
  readonly form?: () => FormData
}

const ATTEMPTS = 10
const ATTEMPT_TIMEOUT_MS = 15_000
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 4_000
/** Responses after which a client repeats the request: too many requests, gateway or service unavailable. */
const repeatable = new Set([429, 502, 503, 504])

/** Sends requests like a client that follows the documentation: backoff with jitter, `Retry-After`. Counts every attempt. */
export class Requests {
  readonly rows = new Map<string, Row>()

  /**
   * Resolves to the body of the successful response, or to undefined after the last attempt.
   * @param kind the row that counts the request
   */
  async send(kind: string, call: Call): Promise<unknown> {
    const row = this.#row(kind)
    row.requests++
    const began = performance.now()
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { status, body, retryAfterMs } = await sendOnce(call)
      row.longestMs = Math.max(row.longestMs, performance.now() - began)
      if (attempt === 2) row.repeated++
      if (typeof status === 'number' && status < 300) return body
      row.attempts.set(String(status), (row.attempts.get(String(status)) ?? 0) + 1)
      if (typeof status === 'number' && !repeatable.has(status)) break
      const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1))
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs + Math.random() * ceiling))
    }
    row.failed++
    return undefined
  }

  #row(kind: string): Row {
    const row = this.rows.get(kind) ?? {
      requests: 0,
      repeated: 0,
      failed: 0,
      longestMs: 0,
      attempts: new Map<string, number>(),
    }
    this.rows.set(kind, row)
    return row
  }
}

interface Attempt {
  readonly status: number | string
  readonly body?: unknown
  readonly retryAfterMs: number
}

async function sendOnce({ method, url, token, json, form }: Call): Promise<Attempt> {
  try {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(form === undefined ? {} : { body: form() }),
    })
    const retryAfterMs = 1_000 * (Number(response.headers.get('retry-after')) || 0)
    return { status: response.status, body: await response.json().catch(() => undefined), retryAfterMs }
  } catch (err) {
    const { name, cause } = err as Error & { cause?: { code?: string } }
    return { status: cause?.code ?? name, retryAfterMs: 0 }
  }
}
