import { createPool, type Pool, type TypeCastFunction } from 'mariadb'
import { connectionOptions, MAX_WAIT_MS } from './connection.ts'

/** Connections of a store for hot reads, in addition to those of Prisma. */
export const READ_CONNECTIONS = 4

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

/** A pool of connections for hot reads, opened with the first one. */
export class ReadPool {
  readonly #url: string
  #pool: Pool | undefined

  constructor(databaseUrl: string) {
    this.#url = databaseUrl
  }

  query<Row>({ sql, values }: Statement): Promise<Row[]> {
    this.#pool ??= this.#open()
    return this.#pool.query<Row[]>({ sql, typeCast }, values.map(toSql))
  }

  async close(): Promise<void> {
    await this.#pool?.end()
    this.#pool = undefined
  }

  #open(): Pool {
    return createPool({
      ...connectionOptions(this.#url),
      connectionLimit: READ_CONNECTIONS,
      minimumIdle: 1,
      acquireTimeout: MAX_WAIT_MS,
      minDelayValidation: 10_000,
      // Drops connections to an unresponsive server.
      socketTimeout: MAX_WAIT_MS + 1_000,
    })
  }
}
