import { connectionOptions, MAX_WAIT_MS } from './connection.ts'
import { classifyStoreError, StoreUnavailable } from './errors.ts'
import { MysqlLivenessProbe } from './liveness-probe.ts'
import type { StoreMetrics } from './store-metrics.ts'

const CONFLICT_RETRIES = 6
/** READ COMMITTED: repositories lock the rows they depend on; gap locks would only add deadlocks. */
const TRANSACTION = { maxWait: MAX_WAIT_MS, timeout: MAX_WAIT_MS, isolationLevel: 'ReadCommitted' } as const

/** The part of a generated Prisma client that does not depend on its models. */
export interface PrismaLike<Tx> {
  $transaction<Result>(work: (tx: Tx) => Promise<Result>, options: typeof TRANSACTION): Promise<Result>
  $disconnect(): Promise<void>
}

/**
 * A service's database behind its repositories: no call waits for a server that hangs, an outage is
 * StoreUnavailable, and a transaction that lost a race is retried.
 */
export class SqlStore<Tx, Prisma extends PrismaLike<Tx>> {
  /** The client itself, for background work that no request waits for. */
  readonly client: Prisma
  readonly #metrics: StoreMetrics
  readonly #probe: MysqlLivenessProbe

  constructor(prisma: Prisma, databaseUrl: string, metrics: StoreMetrics) {
    this.client = prisma
    this.#metrics = metrics
    this.#probe = new MysqlLivenessProbe(connectionOptions(databaseUrl))
  }

  /** Runs statements outside of a transaction. @throws StoreUnavailable within 2 s when the server hangs. */
  run<Result>(operation: string, work: (db: Prisma) => Promise<Result>): Promise<Result> {
    return this.#guarded(operation, () => work(this.client))
  }

  /** Runs `work` in one transaction, up to six times: a deadlock has rolled back all of it. */
  async transaction<Result>(operation: string, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const once = () => this.client.$transaction(work, TRANSACTION)
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#guarded(operation, once)
      } catch (err) {
        if (attempt >= CONFLICT_RETRIES || classifyStoreError(err) !== 'conflict') throw err
        await new Promise((resolve) => setTimeout(resolve, attempt * 10 * (0.5 + Math.random())))
      }
    }
  }

  /** The transaction of a consumer, as `applyOnce` calls it: inbox row and effect. */
  $transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.transaction('consumeEvent', work)
  }

  ping(): Promise<void> {
    return this.#probe.probe()
  }

  async close(): Promise<void> {
    await Promise.all([this.client.$disconnect(), this.#probe.close()])
  }

  async #guarded<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await this.#metrics.measure('mysql', operation, () =>
        this.#probe.whileResponding(work()),
      )
      this.#probe.noteResponse()
      return result
    } catch (err) {
      if (err instanceof StoreUnavailable || classifyStoreError(err) !== 'unavailable') throw err
      throw new StoreUnavailable('mysql', err)
    }
  }
}
