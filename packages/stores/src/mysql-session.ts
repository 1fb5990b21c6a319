import { type Connection, createConnection } from 'mariadb'
import { connectionOptions } from './connection.ts'
import { StoreUnavailable } from './errors.ts'
import { withTimeout } from './with-timeout.ts'

const CONNECT_TIMEOUT_MS = 3_000
const QUERY_TIMEOUT_MS = 5_000
/** Idle time after which the server ends the session and releases its lock. */
const SESSION_IDLE_SECONDS = 45

/**
 * One MySQL connection, replaced only when it breaks. Session state (a named lock) is tied to `generation`: a
 * different number means a different session.
 */
export class MySqlSession {
  readonly #url: string
  #connection: Connection | undefined
  #generation = 0

  /** @param url `mysql://user:password@host:port/database` */
  constructor(url: string) {
    this.#url = url
  }

  /** Returns a number that changes with every new connection; 0 while disconnected. */
  get generation(): number {
    return this.#connection ? this.#generation : 0
  }

  get database(): string {
    return new URL(this.#url).pathname.slice(1)
  }

  /**
   * Runs a query, connecting if needed. Any failure drops the connection: a late response would be read as
   * the next one's.
   */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row> {
    const connection = this.#connection ?? (await this.#open())
    try {
      const result = connection.query<Row>(sql, [...values])
      return await withTimeout(result, QUERY_TIMEOUT_MS, () => new StoreUnavailable('mysql'))
    } catch (error) {
      this.#drop(connection)
      throw error
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.end().catch(() => connection.destroy())
  }

  async #open(): Promise<Connection> {
    const connection = await createConnection({
      ...connectionOptions(this.#url),
      connectTimeout: CONNECT_TIMEOUT_MS,
      bigIntAsNumber: true,
      insertIdAsNumber: true,
      sessionVariables: { wait_timeout: SESSION_IDLE_SECONDS },
    })
    connection.on('error', () => this.#drop(connection))
    connection.on('end', () => this.#drop(connection))
    this.#generation++
    this.#connection = connection
    return connection
  }

  #drop(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined
    connection.destroy()
  }
}
