import { join } from 'node:path'
import { cacheRoot, mysqlProgram } from '@bigtech/devstack'
import { createTestMysql, type TestMysql, type TestServers } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root, serviceNames } from './files.ts'
import { type MysqlServer, startMysql } from './mysql-server.ts'
import { FETCH_TIMEOUT_MS } from './tools.ts'

let mysql: MysqlServer | undefined
let reason = ''
beforeAll(async () => {
  const program = await mysqlProgram(cacheRoot()).catch((error: unknown) => {
    reason = `MySQL cannot be had here: ${error instanceof Error ? error.message : String(error)}`
    console.warn(`SKIPPED the migrations on MySQL: ${reason}`)
  })
  if (program) mysql = await startMysql(program)
}, FETCH_TIMEOUT_MS)
afterAll(() => mysql?.stop())

it.for(serviceNames)(
  'the migrations of %s make the same tables on MySQL as on MariaDB',
  async (service, context) => {
    if (!mysql) return context.skip(reason)
    const migrationsDir = join(root, 'services', service, 'migrations')
    const [onMysql, onMariadb] = await Promise.all([
      // The defaults of the servers, which differ: no table and no column may depend on them.
      tablesOf(migrationsDir, 'utf8mb4_0900_ai_ci', mysql.server),
      tablesOf(migrationsDir, 'utf8mb4_general_ci'),
    ])
    expect(onMysql.length).toBeGreaterThan(10)
    const only = (these: readonly string[], others: readonly string[]) =>
      these.filter((each) => !others.includes(each))
    expect({ mysql: only(onMysql, onMariadb), mariadb: only(onMariadb, onMysql) }).toEqual({
      mysql: [],
      mariadb: [],
    })
  },
)

/** Migrates an empty database; returns a line for each column and each column of an index. */
async function tablesOf(
  migrationsDir: string,
  collation: string,
  server?: TestServers['mysql'],
): Promise<string[]> {
  const database = await createTestMysql({ migrationsDir, collation, ...(server && { server }) })
  try {
    return [...(await columnsOf(database)), ...(await indexesOf(database))].sort()
  } finally {
    await database.drop()
  }
}

async function columnsOf({ database, query }: TestMysql): Promise<string[]> {
  const rows = await query<Record<string, string | number | null>>(
    `SELECT table_name AS t, column_name AS c, data_type AS type, column_type LIKE '%unsigned%' AS is_unsigned,
            is_nullable AS nullable, column_default AS standard, extra AS extra, character_maximum_length AS longest,
            collation_name AS collation, datetime_precision AS precise, numeric_scale AS scale
       FROM information_schema.columns WHERE table_schema = ? AND table_name <> 'schema_migrations'`,
    [database],
  )
  return rows.map(({ t, c, type, longest, collation, standard, extra, ...rest }) => {
    // MariaDB stores JSON as text with a check.
    const isJson = type === 'json' || (type === 'longtext' && collation === 'utf8mb4_bin')
    const shape = isJson ? { type: 'json' } : { type, longest, collation }
    const facts = { ...shape, ...rest, standard: plainDefault(standard), extra: plainExtra(extra) }
    return `${t}.${c} ${JSON.stringify(facts)}`
  })
}

async function indexesOf({ database, query }: TestMysql): Promise<string[]> {
  const rows = await query<Record<string, string | number | null>>(
    `SELECT table_name AS t, index_name AS i, seq_in_index AS place, column_name AS c, non_unique AS repeats,
            collation AS direction, sub_part AS part
       FROM information_schema.statistics WHERE table_schema = ? AND table_name <> 'schema_migrations'`,
    [database],
  )
  return rows.map(({ t, i, place, ...rest }) => `${t} index ${i} ${place} ${JSON.stringify(rest)}`)
}

/** MariaDB quotes strings, and both spell functions in their own way. */
function plainDefault(value: string | number | null | undefined): string | null {
  if (value === null || value === undefined || value === 'NULL') return null
  return String(value)
    .toLowerCase()
    .replace(/^'(.*)'$/, '$1')
}

function plainExtra(value: string | number | null | undefined): string {
  return String(value ?? '')
    .toLowerCase()
    .replace('default_generated', '')
    .trim()
}
