import { classifyError } from '@bigtech/kafka'
import { Problem, type Service, type StoreMetrics, StoreUnavailable } from '@bigtech/service-kit'
import { connectionOptions, MAX_WAIT_MS } from './connection.ts'
import { MysqlPulse } from './pulse.ts'

const CONFLICT_RETRIES = 6
/** Whatever must not be missed is locked by its row; gap locks would only add deadlocks. */
const TRANSACTION = { maxWait: MAX_WAIT_MS, timeout: MAX_WAIT_MS, isolationLevel: 'ReadCommitted' } as const

/** What is used of a generated Prisma client, whatever its models. */
interface Client<Tx> {
  $transaction<Result>(work: (tx: Tx) => Promise<Result>, options: typeof TRANSACTION): Promise<Result>
  $disconnect(): Promise<void>
}

/**
 * A service's database behind its repositories: nobody waits for a server that is silent, an outage is
 * StoreUnavailable (503), and a transaction that lost a race is done again.
 */
export class SqlStore<Tx, Prisma extends Client<Tx>> {
  /** The client itself, for work in the background that nobody waits for. */
  readonly client: Prisma
  readonly #metrics: StoreMetrics
  readonly #pulse: MysqlPulse

  constructor(prisma: Prisma, databaseUrl: string, metrics: StoreMetrics) {
    this.client = prisma
    this.#metrics = metrics
    this.#pulse = new MysqlPulse(connectionOptions(databaseUrl))
  }

  /** One request outside of a transaction. @throws StoreUnavailable within 2 s when the server is silent. */
  run<Result>(operation: string, work: (db: Prisma) => Promise<Result>): Promise<Result> {
    return this.#guarded(operation, () => work(this.client))
  }

  /** All or nothing. A deadlock rolled everything back, so the whole of it is tried again. */
  async transaction<Result>(operation: string, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const once = () => this.client.$transaction(work, TRANSACTION)
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#guarded(operation, once)
      } catch (err) {
        if (attempt >= CONFLICT_RETRIES || classifyError(err) !== 'conflict') throw err
        await new Promise((resolve) => setTimeout(resolve, attempt * 10 * (0.5 + Math.random())))
      }
    }
  }

  /** The transaction of a consumer: inbox row and effect. */
  $transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.transaction('consumeEvent', work)
  }

  ping(): Promise<void> {
    return this.#pulse.ask()
  }

  async close(): Promise<void> {
    await Promise.all([this.client.$disconnect(), this.#pulse.close()])
  }

  async #guarded<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await this.#metrics.measure('mysql', operation, () => this.#pulse.unlessSilent(work()))
      this.#pulse.heard()
      return result
    } catch (err) {
      if (err instanceof Problem || classifyError(err) !== 'unavailable') throw err
      throw new StoreUnavailable('mysql', err)
    }
  }
}

/** Asks after it in /ready, closes it at the end. MySQL need not be there yet. */
export function superviseMysql(
  service: Pick<Service, 'readiness' | 'lifecycle'>,
  store: { ping(): Promise<void>; close(): Promise<void> },
  options: {
    /** Once it was there, this process has another answer while it is away. */
    readonly dispensable?: boolean
  } = {},
): void {
  let seen = false
  service.readiness.add({
    name: 'mysql',
    ping: async () => {
      await store.ping()
      seen = true
    },
    get optional() {
      return seen && options.dispensable === true
    },
  })
  service.lifecycle.onStop('stores', 'mysql', () => store.close())
}
