import { setTimeout as delay } from 'node:timers/promises'
import { classifyError } from '@bigtech/kafka'
import { type Service, StoreUnavailable, withTimeout } from '@bigtech/service-kit'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'
import { storeTimer } from './store-metrics.ts'

type Database = PrismaClient
export type Transaction = Prisma.TransactionClient

/** MySQL, so that whoever uses it never waits long and never sees a driver's error. */
export interface Mysql {
  /** @throws StoreUnavailable within 2 s when MySQL does not answer. */
  run<Result>(operation: string, work: (db: Database) => Promise<Result>): Promise<Result>
  /** Like `run`, in one transaction; tried again when it loses a deadlock. `work` may run more than once. */
  transaction<Result>(operation: string, work: (tx: Transaction) => Promise<Result>): Promise<Result>
  /** For the inbox of a consumer. */
  readonly runner: { $transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> }
}

const ANSWER_TIMEOUT_MS = 1_800
const MAX_ATTEMPTS = 6

/** Opens the pool; nothing is connected before it is needed. */
export function openMysql(service: Service, url: string, poolSize: number): Mysql {
  const db = new PrismaClient({
    // As text: the binary protocol without its cache costs a round trip more for every statement.
    adapter: new PrismaMariaDb(poolOptions(url, poolSize), { useTextProtocol: true }),
  })
  const startTimer = storeTimer(service.metrics, 'mysql')

  async function bounded<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    const stopTimer = startTimer(operation)
    try {
      return await withTimeout(work(), ANSWER_TIMEOUT_MS, 'MySQL did not answer')
    } catch (err) {
      throw translate(err)
    } finally {
      stopTimer()
    }
  }

  const mysql: Mysql = {
    run: (operation, work) => bounded(operation, () => work(db)),
    transaction: (operation, work) =>
      bounded(operation, () =>
        retryConflicts(() => db.$transaction(work, { maxWait: 1_000, timeout: ANSWER_TIMEOUT_MS })),
      ),
    runner: { $transaction: (work) => mysql.transaction('consumeEvent', work) },
  }
  service.readiness.add({ name: 'mysql', ping: () => db.$queryRaw`SELECT 1` })
  service.lifecycle.onStop('stores', 'mysql', () => db.$disconnect())
  return mysql
}

function poolOptions(url: string, connectionLimit: number) {
  const { hostname, port, username, password, pathname } = new URL(url)
  return {
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    connectionLimit,
    minimumIdle: 2,
    idleTimeout: 60,
    connectTimeout: 1_000,
    acquireTimeout: 1_200,
    // A connection whose other end is gone without a word must not stay in the pool for ever.
    socketTimeout: 10_000,
  }
}

async function retryConflicts<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (err) {
      if (attempt >= MAX_ATTEMPTS || !isConflict(err)) throw err
      await delay(Math.random() * 10 * attempt)
    }
  }
}

function isConflict(err: unknown): boolean {
  return classifyError(err) === 'conflict' || driverCode(err) === 1213
}

/** The server's error number, wherever Prisma has put it. */
function driverCode(err: unknown): number | undefined {
  const meta = (err as { meta?: { driverAdapterError?: { cause?: { originalCode?: string } } } }).meta
  const code = meta?.driverAdapterError?.cause?.originalCode
  return code === undefined ? undefined : Number(code)
}

function translate(err: unknown): unknown {
  if (!(err instanceof Error) || err instanceof StoreUnavailable) return err
  const late = err.message.startsWith('MySQL did not answer')
  const { code, meta } = err as Error & { code?: string; meta?: { driverAdapterError?: unknown } }
  const away =
    late ||
    code === 'P2028' ||
    classifyError(err) === 'unavailable' ||
    classifyError(meta?.driverAdapterError) === 'unavailable'
  return away ? new StoreUnavailable('mysql', err) : err
}
