import { type Connection, createConnection } from 'mariadb'
import { UnavailableError } from '../errors.ts'
import { within } from '../timing.ts'

const CONNECT_TIMEOUT_MS = 3_000
const QUERY_TIMEOUT_MS = 5_000
/** The server ends the session, and its lock, when it hears nothing for so long. */
const SESSION_IDLE_SECONDS = 45

/**
 * One connection to MySQL that stays the same until it breaks. What is tied to a session (a named
 * lock) is tied to `generation`: another number says that the session is another one.
 */
export class MySqlSession {
  readonly #url: string
  #connection: Connection | undefined
  #generation = 0

  /** @param url `mysql://user:password@host:port/database` */
  constructor(url: string) {
    this.#url = url
  }

  /** Changes with every new connection; 0 while there is none. */
  get generation(): number {
    return this.#connection ? this.#generation : 0
  }

  get database(): string {
    return new URL(this.#url).pathname.slice(1)
  }

  /** Opens the connection if there is none. Any failure drops it: after a late answer nothing can be relied on. */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row> {
    const connection = this.#connection ?? (await this.#open())
    try {
      const answer = connection.query<Row>(sql, [...values])
      return await within(answer, QUERY_TIMEOUT_MS, () => new UnavailableError('MySQL does not answer'))
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
    const url = new URL(this.#url)
    const connection = await createConnection({
      host: url.hostname,
      port: Number(url.port || 3306),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: this.database,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // As in the mysql package: without TLS, MySQL 8 lets an account in only by a key that it hands out itself.
      allowPublicKeyRetrieval: true,
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
