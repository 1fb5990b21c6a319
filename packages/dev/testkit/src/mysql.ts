import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { resolveBinary } from 'dbmate'
import mariadb from 'mariadb'
import { type TestServers, testServers, uniqueName } from './servers.ts'

const run = promisify(execFile)
/** The program itself: the package's command starts it from another Node process. */
const dbmate = resolveBinary()

export interface TestMysql {
  readonly url: string
  readonly database: string
  query<Row = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<Row[]>
  migrate(direction: 'up' | 'rollback'): Promise<void>
  drop(): Promise<void>
}

/**
 * Creates a database with the migrations of the directory applied. Dropped by `drop()`.
 *
 * @param options.collation the database's default; production's if omitted
 * @param options.server another server than that of the other tests
 */
export async function createTestMysql(
  options: { migrationsDir?: string; collation?: string; server?: TestServers['mysql'] } = {},
): Promise<TestMysql> {
  const { host, port, user, password } = options.server ?? testServers().mysql
  const database = uniqueName('t_')
  const connection = await mariadb.createConnection({
    host,
    port,
    user,
    password,
    bigIntAsNumber: true,
    allowPublicKeyRetrieval: true,
  })
  await connection.query(
    `CREATE DATABASE ${database} CHARACTER SET utf8mb4 COLLATE ${options.collation ?? 'utf8mb4_unicode_ci'}`,
  )
  await connection.query(`USE ${database}`)
  const url = `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`
  const migrate = async (direction: 'up' | 'rollback') => {
    const { migrationsDir } = options
    if (!migrationsDir) return
    await run(dbmate, ['--url', url, '--migrations-dir', migrationsDir, '--no-dump-schema', direction])
  }
  await migrate('up')
  return {
    url,
    database,
    query: (sql, params) => connection.query(sql, params),
    migrate,
    drop: async () => {
      await connection.query(`DROP DATABASE IF EXISTS ${database}`)
      await connection.end()
    },
  }
}
