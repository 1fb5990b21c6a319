import { classifyError } from '@bigtech/kafka'
import { Problem, type Service, StoreUnavailable } from '@bigtech/service-kit'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { StoreMetrics } from './store-metrics.ts'

/** Inside a transaction: Prisma's client, bound to it. */
export type Tx = Prisma.TransactionClient

/** A caller hears 503 within 2 s, also from a server that took the connection and says nothing. */
const DEADLINE_MS = 1_700
const CONFLICT_RETRIES = 5

/** MySQL for the repositories: bounded in time, outages as StoreUnavailable, lost races repeated. */
export class Mysql {
  readonly #prisma: PrismaClient
  readonly #metrics: StoreMetrics

  constructor(databaseUrl: string, metrics: StoreMetrics) {
    const adapter = new PrismaMariaDb(poolOptions(databaseUrl), { useTextProtocol: true })
    this.#prisma = new PrismaClient({ adapter })
    this.#metrics = metrics
  }

  /** One request outside of a transaction. */
  read<Result>(operation: string, work: (db: PrismaClient) => Promise<Result>): Promise<Result> {
    return this.#guarded(operation, () => work(this.#prisma))
  }

  /** All or nothing. A deadlock rolled everything back, so the whole of it is tried again. */
  async transaction<Result>(operation: string, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const run = () => this.#prisma.$transaction(work, { maxWait: 1_500, timeout: 5_000 })
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#guarded(operation, run)
      } catch (err) {
        if (attempt >= CONFLICT_RETRIES || classifyError(err) !== 'conflict') throw err
        await new Promise((resolve) => setTimeout(resolve, attempt * 10 * (0.5 + Math.random())))
      }
    }
  }

  async ping(): Promise<void> {
    await this.#prisma.$queryRaw`SELECT 1`
  }

  async close(): Promise<void> {
    await this.#prisma.$disconnect()
  }

  async #guarded<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#metrics.measure('mysql', operation, () => withDeadline(work()))
    } catch (err) {
      if (err instanceof Problem || classifyError(err) !== 'unavailable') throw err
      throw new StoreUnavailable('mysql', err)
    }
  }
}

/** Opens the pool; MySQL need not be there yet. */
export function openMysql(service: Service, databaseUrl: string, metrics: StoreMetrics): Mysql {
  const mysql = new Mysql(databaseUrl, metrics)
  let seen = false
  service.readiness.add({
    name: 'mysql',
    ping: () => mysql.ping().then(() => (seen = true)),
    // Without it a new process can do nothing. One with a memory goes on sending to the rooms in use,
    // and every process out of the balancer at once would help nobody.
    get optional() {
      return seen
    },
  })
  service.lifecycle.onStop('stores', 'mysql', () => mysql.close())
  return mysql
}

function poolOptions(databaseUrl: string) {
  const url = new URL(databaseUrl)
  return {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    connectionLimit: 16,
    minimumIdle: 2,
    connectTimeout: 1_000,
    acquireTimeout: 1_500,
    initializationTimeout: 1_000,
    // Longer than any statement may take: frees connections to a server that went silent.
    socketTimeout: 5_000,
    // Every statement that must not miss a row locks it; gap locks would only add deadlocks.
    initSql: [
      'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
      "SET SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = 2",
    ],
  }
}

async function withDeadline<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const silent = new StoreUnavailable('mysql', new Error(`no answer within ${DEADLINE_MS} ms`))
    timer = setTimeout(() => reject(silent), DEADLINE_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
