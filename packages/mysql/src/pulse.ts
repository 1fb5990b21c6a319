import { StoreUnavailable } from '@bigtech/service-kit'
import { createPool, type Pool, type PoolConfig } from 'mariadb'

/** A server that says nothing to anybody for so long is away: whoever waits hears 503 within 2 s. */
const SILENCE_MS = 1_700
/** One that answers is only busy (many change the same room, and wait for each other): that pays to wait for. */
const BUSY_MS = 5_000
const ASK_AFTER_MS = 600

/**
 * Knows whether MySQL answers at all, over a connection that nothing else can keep busy: from the
 * others a server that hangs looks the same as a row that many wait for.
 */
export class MysqlPulse {
  readonly #pool: Pool
  #lastAnswerAt = 0
  #asking: Promise<void> | undefined

  constructor(connection: PoolConfig) {
    this.#pool = createPool({
      ...connection,
      connectionLimit: 1,
      acquireTimeout: 900,
      connectTimeout: 900,
      socketTimeout: 3_000,
    })
  }

  /** Some request was answered. */
  heard(): void {
    this.#lastAnswerAt = Date.now()
  }

  /** Whoever asks meanwhile shares the answer. */
  ask(): Promise<void> {
    this.#asking ??= this.#pool
      .query('SELECT 1')
      .then(() => this.heard())
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  /** The result of the work. @throws StoreUnavailable when the server fell silent, or takes too long. */
  async unlessSilent<Result>(work: Promise<Result>): Promise<Result> {
    const startedAt = Date.now()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      const look = () => {
        const heardAt = Math.max(startedAt, this.#lastAnswerAt)
        const silentMs = Date.now() - heardAt
        if (silentMs >= SILENCE_MS || Date.now() - startedAt >= BUSY_MS) {
          reject(new StoreUnavailable('mysql', new Error('no answer in time')))
          return
        }
        if (silentMs >= ASK_AFTER_MS) void this.ask().catch(() => undefined)
        const nextMs = silentMs >= ASK_AFTER_MS ? SILENCE_MS - silentMs : ASK_AFTER_MS - silentMs
        timer = setTimeout(look, Math.min(nextMs, startedAt + BUSY_MS - Date.now()))
      }
      look()
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
