import { readdirSync, readFileSync } from 'node:fs'
import { getDMMF } from '@prisma/get-dmmf'
import { describe, expect, it } from 'vitest'
import { createTestMysql, type TestMysql } from './mysql.ts'

/** Tables used by plain SQL only, without a Prisma model. */
const withoutModel = ['schema_migrations', 'outbox', 'inbox']

const sqlTypes: Record<string, readonly string[]> = {
  Int: ['int', 'smallint', 'tinyint', 'mediumint'],
  BigInt: ['bigint'],
  String: ['varchar', 'char', 'text', 'mediumtext', 'longtext', 'tinytext'],
  Boolean: ['tinyint'],
  DateTime: ['datetime', 'timestamp', 'date'],
  Json: ['json', 'longtext'],
  Bytes: ['varbinary', 'binary', 'blob', 'longblob', 'mediumblob'],
  Float: ['double', 'float'],
  Decimal: ['decimal'],
}

interface Column {
  readonly table: string
  readonly column: string
  readonly nullable: boolean
  readonly type: string
}

/** Tests that migrations go up, down and up again on the real server, and match the Prisma schema. */
export function describeMigrations(options: { migrationsDir: string; schemaPath: string }): void {
  const { migrationsDir, schemaPath } = options
  const count = readdirSync(migrationsDir).filter((name) => name.endsWith('.sql')).length

  describe('migrations', () => {
    it('go up, down and up again to the same tables', async () => {
      const mysql = await createTestMysql({ migrationsDir })
      try {
        const before = await columnsOf(mysql)
        for (let step = 0; step < count; step++) await mysql.migrate('rollback')
        const left = (await columnsOf(mysql)).filter(({ table }) => table !== 'schema_migrations')
        expect(left).toEqual([])
        await mysql.migrate('up')
        expect(await columnsOf(mysql)).toEqual(before)
      } finally {
        await mysql.drop()
      }
    })

    it("never depend on the server's default collation, which differs between MySQL and MariaDB", async () => {
      const mysql = await createTestMysql({ migrationsDir, collation: 'utf8mb4_swedish_ci' })
      try {
        expect(await foreignCollations(mysql)).toEqual([])
      } finally {
        await mysql.drop()
      }
    })

    it('create exactly the tables of the Prisma schema', async () => {
      const mysql = await createTestMysql({ migrationsDir })
      try {
        const found = (await columnsOf(mysql)).filter(({ table }) => !withoutModel.includes(table))
        const described = modelColumns(readFileSync(schemaPath, 'utf8')).filter(
          ({ table }) => !withoutModel.includes(table),
        )
        const key = ({ table, column, nullable }: Pick<Column, 'table' | 'column' | 'nullable'>) =>
          `${table}.${column}${nullable ? '?' : ''}`
        expect(described.map(key).sort()).toEqual(found.map(key).sort())
        for (const field of described) {
          const column = found.find(({ table, column }) => table === field.table && column === field.column)
          expect(sqlTypes[field.type], key(field)).toContain(column?.type)
        }
      } finally {
        await mysql.drop()
      }
    })
  })
}

/** Returns tables and columns with a collation not set by migrations. dbmate's table is excluded. */
async function foreignCollations(mysql: TestMysql): Promise<string[]> {
  const named = "('utf8mb4_unicode_ci', 'utf8mb4_bin', 'ascii_general_ci', 'ascii_bin')"
  const rows = await mysql.query<{ place: string }>(
    `SELECT CONCAT(table_name, ' ', table_collation) AS place FROM information_schema.tables
       WHERE table_schema = ? AND table_name <> 'schema_migrations' AND table_collation NOT IN ${named}
     UNION ALL
     SELECT CONCAT(table_name, '.', column_name, ' ', collation_name) FROM information_schema.columns
       WHERE table_schema = ? AND table_name <> 'schema_migrations' AND collation_name NOT IN ${named}`,
    [mysql.database, mysql.database],
  )
  return rows.map(({ place }) => place)
}

async function columnsOf(mysql: TestMysql): Promise<Column[]> {
  const rows = await mysql.query<Record<string, string>>(
    `SELECT table_name AS t, column_name AS c, is_nullable AS n, data_type AS d
       FROM information_schema.columns WHERE table_schema = ? ORDER BY table_name, column_name`,
    [mysql.database],
  )
  return rows.map(({ t, c, n, d }) => ({ table: t!, column: c!, nullable: n === 'YES', type: d! }))
}

function modelColumns(schema: string): Column[] {
  const document = getDMMF({ datamodel: schema })
  if ('error' in document) throw new Error('The Prisma schema is not valid', { cause: document.error })
  return document.datamodel.models.flatMap((model) =>
    model.fields
      .filter(({ kind }) => kind === 'scalar')
      .map((field) => ({
        table: model.dbName ?? model.name,
        column: field.dbName ?? field.name,
        nullable: !field.isRequired,
        type: field.type,
      })),
  )
}
