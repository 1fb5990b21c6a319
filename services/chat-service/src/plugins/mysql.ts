import { classifyError } from '@bigtech/kafka'
import { Problem, type Service, StoreUnavailable } from '@bigtech/service-kit'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'
import { MysqlPulse } from './mysql-pulse.ts'
import type { StoreMetrics } from './store-metrics.ts'

/** Inside a transaction: Prisma's client, bound to it. */
export type Tx = Prisma.TransactionClient

/** Longer than anybody waits for an answer. */
const MAX_WAIT_MS = 5_000
const CONFLICT_RETRIES = 5
/** Whatever must not be missed is locked by its row; gap locks would only add deadlocks. */
const TRANSACTION = { maxWait: MAX_WAIT_MS, timeout: MAX_WAIT_MS, isolationLevel: 'ReadCommitted' } as const

/** MySQL for the repositories: bounded in time, outages as StoreUnavailable, lost races repeated. */
export class Mysql {
  readonly #prisma: PrismaClient
  readonly #metrics: StoreMetrics
  readonly #pulse: MysqlPulse

  constructor(databaseUrl: string, metrics: StoreMetrics) {
    const adapter = new PrismaMariaDb(poolOptions(databaseUrl), { useTextProtocol: true })
    this.#prisma = new PrismaClient({ adapter })
    this.#pulse = new MysqlPulse(connectionOptions(databaseUrl))
    this.#metrics = metrics
  }

  /** One request outside of a transaction. */
  read<Result>(operation: string, work: (db: PrismaClient) => Promise<Result>): Promise<Result> {
    return this.#guarded(operation, () => work(this.#prisma))
  }

  /** All or nothing. A deadlock rolled everything back, so the whole of it is tried again. */
  async transaction<Result>(operation: string, work: (tx: Tx) => Promise<Result>): Promise<Result> {
    const run = () => this.#prisma.$transaction(work, TRANSACTION)
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#guarded(operation, run)
      } catch (err) {
        if (attempt >= CONFLICT_RETRIES || classifyError(err) !== 'conflict') throw err
        await new Promise((resolve) => setTimeout(resolve, attempt * 10 * (0.5 + Math.random())))
      }
    }
  }

  ping(): Promise<void> {
    return this.#pulse.ask()
  }

  async close(): Promise<void> {
    await Promise.all([this.#prisma.$disconnect(), this.#pulse.close()])
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
  return {
    ...connectionOptions(databaseUrl),
    connectionLimit: 16,
    minimumIdle: 2,
    acquireTimeout: MAX_WAIT_MS,
    // Frees connections to a server that went silent.
    socketTimeout: MAX_WAIT_MS + 1_000,
  }
}

function connectionOptions(databaseUrl: string) {
  const url = new URL(databaseUrl)
  return {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    connectTimeout: 1_000,
    initializationTimeout: 1_000,
    // No statement may be needed to set a connection up: when one fails half way, the version of the
    // connector that Prisma uses leaves a rejection that nobody handles, and that ends the process.
    collation: 'UTF8MB4_UNICODE_CI',
  }
}
