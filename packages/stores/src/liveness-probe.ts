import { createPool, type Pool, type PoolConfig } from 'mariadb'
import { StoreUnavailable } from './errors.ts'

/** A server that does not respond for this long counts as unavailable, so that callers get 503 within 2 s. */
const SILENCE_MS = 1_700
/** A responsive server is only busy (many transactions wait for one row) and worth waiting for. */
const BUSY_MS = 5_000
const PROBE_AFTER_MS = 600

/**
 * Distinguishes a hung MySQL server from a busy one over a dedicated connection: pooled connections cannot
 * tell the difference.
 */
export class MysqlLivenessProbe {
  readonly #pool: Pool
  #lastResponseAt = 0
  #probing: Promise<void> | undefined

  constructor(connection: PoolConfig) {
    this.#pool = createPool({
      ...connection,
      connectionLimit: 1,
      acquireTimeout: 900,
      connectTimeout: 900,
      socketTimeout: 3_000,
    })
  }

  /** Records that the server has just responded to a statement. */
  noteResponse(): void {
    this.#lastResponseAt = Date.now()
  }

  /** Probes the server; concurrent callers share one probe. Rejects when the server does not respond. */
  probe(): Promise<void> {
    this.#probing ??= this.#pool
      .query('SELECT 1')
      .then(() => this.noteResponse())
      .finally(() => {
        this.#probing = undefined
      })
    return this.#probing
  }

  /** Returns the result of the work. @throws StoreUnavailable when the server stops responding, or after 5 s. */
  async whileResponding<Result>(work: Promise<Result>): Promise<Result> {
    const startedAt = Date.now()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      const check = () => {
        const silentMs = Date.now() - Math.max(startedAt, this.#lastResponseAt)
        if (silentMs >= SILENCE_MS || Date.now() - startedAt >= BUSY_MS) {
          reject(new StoreUnavailable('mysql', new Error('no response in time')))
          return
        }
        if (silentMs >= PROBE_AFTER_MS) void this.probe().catch(() => undefined)
        const nextMs = silentMs >= PROBE_AFTER_MS ? SILENCE_MS - silentMs : PROBE_AFTER_MS - silentMs
        timer = setTimeout(check, Math.min(nextMs, startedAt + BUSY_MS - Date.now()))
      }
      check()
    })
    try {
      return await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}
