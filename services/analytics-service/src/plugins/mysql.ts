import { classifyError } from '@bigtech/kafka'
import { Problem, type Service, StoreUnavailable } from '@bigtech/service-kit'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { Histogram, type Registry } from 'prom-client'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Prisma's client, bound to a transaction. */
export type Tx = Prisma.TransactionClient

/** Whoever asks is answered within 2 s, also when the server took the connection and says nothing. */
const ANSWER_WITHIN_MS = 1_800
/** A count made under a lock must see what the lock's last holder committed. */
const TRANSACTION = { maxWait: 1_500, timeout: 5_000, isolationLevel: 'ReadCommitted' } as const
const MAX_CONFLICTS = 6
const CONFLICT_BACKOFF_MS = 10

export interface MysqlOptions {
  /** Sees every statement; tests count them and look at their plans. */
  readonly onQuery?: (sql: string, params: string) => void
  /** Where the time of each request is counted. */
  readonly registry?: Registry
}

/** The service's database: bounded in time, an outage is StoreUnavailable, a lost race is repeated. */
export class Mysql {
  readonly client: PrismaClient
  readonly #duration: Histogram<'store' | 'operation'> | undefined

  constructor(url: string, options: MysqlOptions = {}) {
    const adapter = new PrismaMariaDb(poolOptions(url), { useTextProtocol: true })
    const { onQuery, registry } = options
    this.#duration = registry && durationIn(registry)
    if (!onQuery) {
      this.client = new PrismaClient({ adapter })
      return
    }
    const observed = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
    observed.$on('query', (event) => onQuery(event.query, event.params))
    this.client = observed as unknown as PrismaClient
  }

  /** One statement outside of a transaction. */
  read<Result>(work: (db: PrismaClient) => Promise<Result>): Promise<Result> {
    return this.#measure('read', answerInTime(work(this.client)))
  }

  /** All or nothing. A deadlock rolled everything back, so the whole is done again. */
  transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.#measure('transaction', answerInTime(this.$transaction(work)))
  }

  /** The same without the limit in time, for work that nobody waits for (consumers, sweepers). */
  async $transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    for (let conflicts = 0; ; conflicts++) {
      try {
        return await this.client.$transaction(work, TRANSACTION)
      } catch (err) {
        if (conflicts >= MAX_CONFLICTS || classifyError(err) !== 'conflict') throw err
        const waitMs = Math.random() * CONFLICT_BACKOFF_MS * 2 ** conflicts
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }

  async #measure<Result>(operation: 'read' | 'transaction', work: Promise<Result>): Promise<Result> {
    const end = this.#duration?.startTimer({ store: 'mysql', operation })
    try {
      return await work
    } finally {
      end?.()
    }
  }
}

function durationIn(registry: Registry): Histogram<'store' | 'operation'> {
  return new Histogram({
    name: 'store_request_duration_seconds',
    help: 'Time of one request to a store, by what it was for.',
    labelNames: ['store', 'operation'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers: [registry],
  })
}

/** Opens the database and closes it when the service stops. It need not be there yet. */
export function openMysql(service: Service, url: string, options: MysqlOptions = {}): Mysql {
  const mysql = new Mysql(url, { ...options, registry: service.metrics })
  service.readiness.add({ name: 'mysql', ping: () => mysql.client.$queryRaw`SELECT 1` })
  service.lifecycle.onStop('stores', 'mysql', () => mysql.client.$disconnect())
  return mysql
}

async function answerInTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const silent = new StoreUnavailable('mysql', new Error(`no answer within ${ANSWER_WITHIN_MS} ms`))
    timer = setTimeout(() => reject(silent), ANSWER_WITHIN_MS)
  })
  try {
    return await Promise.race([work, late])
  } catch (err) {
    if (err instanceof Problem) throw err
    // A lock that others hold for too long is no different from a slow store to whoever asks.
    if (classifyError(err) === 'transient') throw err
    throw new StoreUnavailable('mysql', err)
  } finally {
    clearTimeout(timer)
  }
}

/** No statement is run to open a connection: one that fails there would be nobody's error, and end the process. */
function poolOptions(databaseUrl: string) {
  const url = new URL(databaseUrl)
  return {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    connectionLimit: 12,
    minimumIdle: 1,
    connectTimeout: 1_000,
    acquireTimeout: 1_500,
    initializationTimeout: 1_000,
    // Longer than any statement takes: frees connections to a server that went silent.
    socketTimeout: 5_000,
  }
}
