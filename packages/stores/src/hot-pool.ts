import { createPool, type Pool, type PoolConnection, type TypeCastFunction } from 'mariadb'
import { connectionOptions, MAX_WAIT_MS } from './connection.ts'

/** Connections of a store for hot statements, in addition to those of Prisma. */
export const HOT_CONNECTIONS = 4

/** A statement with `?` for each value, as `Prisma.sql` builds it. */
export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** The connector would take times as local, here and in `typeCast`. */
const toSql = (value: unknown) =>
  value instanceof Date ? value.toISOString().slice(0, -1).replace('T', ' ') : value

const typeCast: TypeCastFunction = (column, next) => {
  if (column.type !== 'DATETIME') return next()
  const text = column.string()
  return text === null ? null : new Date(`${text.replace(' ', 'T')}Z`)
}

/** A transaction on a connection of the connector. Types of values as in `SqlStore.read`. */
export class HotTransaction {
  readonly #connection: PoolConnection

  constructor(connection: PoolConnection) {
    this.#connection = connection
  }

  read<Row>({ sql, values }: Statement): Promise<Row[]> {
    return this.query<Row[]>(sql, values)
  }

  /** Returns the number of changed rows. */
  async write({ sql, values }: Statement): Promise<number> {
    return (await this.query<{ affectedRows: number }>(sql, values)).affectedRows
  }

  /** Makes this a `SqlExecutor`. */
  query<Result>(sql: string, values: readonly unknown[] = []): Promise<Result> {
    return this.#connection.query<Result>({ sql, typeCast }, values.map(toSql))
  }
}

/** A pool of connections for hot statements, opened with the first one. */
export class HotPool {
  readonly #url: string
  #pool: Pool | undefined

  constructor(databaseUrl: string) {
    this.#url = databaseUrl
  }

  query<Row>({ sql, values }: Statement): Promise<Row[]> {
    this.#pool ??= this.#open()
    return this.#pool.query<Row[]>({ sql, typeCast }, values.map(toSql))
  }

  /** Runs `work` in one READ COMMITTED transaction. */
  async transaction<Result>(work: (tx: HotTransaction) => Promise<Result>): Promise<Result> {
    this.#pool ??= this.#open()
    const connection = await this.#pool.getConnection()
    try {
      // Sent together: one round trip.
      await Promise.all([
        connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED'),
        connection.query('START TRANSACTION'),
      ])
      const result = await work(new HotTransaction(connection))
      await connection.query('COMMIT')
      return result
    } finally {
      // Rolls back a transaction that was not committed.
      await connection.release()
    }
  }

  async close(): Promise<void> {
    await this.#pool?.end()
    this.#pool = undefined
  }

  #open(): Pool {
    return createPool({
      ...connectionOptions(this.#url),
      connectionLimit: HOT_CONNECTIONS,
      minimumIdle: 1,
      acquireTimeout: MAX_WAIT_MS,
      minDelayValidation: 10_000,
      // Drops connections to an unresponsive server.
      socketTimeout: MAX_WAIT_MS + 1_000,
    })
  }
}
