import { createTestMysql, type TestMysql } from '@bigtech/testkit'
import { createPool, type PoolConnection } from 'mariadb'
import type { TransactionRunner } from '../src/inbox.ts'
import { inboxTableSql, outboxTableSql } from '../src/schema.ts'

export interface TestDatabase extends TransactionRunner<PoolConnection> {
  readonly mysql: TestMysql
  drop(): Promise<void>
}

/** Creates a database with outbox, inbox and a table `effect` that counts the consumers' effects. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const mysql = await createTestMysql()
  await mysql.query(outboxTableSql)
  await mysql.query(inboxTableSql)
  await mysql.query('CREATE TABLE effect (event_id CHAR(36) NOT NULL, consumer VARCHAR(40) NOT NULL)')
  const { $transaction, end } = transactions(mysql.url)
  return {
    mysql,
    $transaction,
    drop: async () => {
      await end()
      await mysql.drop()
    },
  }
}

/** Returns a transaction runner on a pool of the MariaDB connector, with Prisma's interface. */
export function transactions(url: string): TransactionRunner<PoolConnection> & { end(): Promise<void> } {
  const { hostname, port, username, password, pathname } = new URL(url)
  const pool = createPool({
    host: hostname,
    port: Number(port),
    user: username,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    connectionLimit: 4,
  })
  return {
    async $transaction(work) {
      const connection = await pool.getConnection()
      try {
        await connection.beginTransaction()
        const result = await work(connection)
        await connection.commit()
        return result
      } catch (error) {
        await connection.rollback()
        throw error
      } finally {
        await connection.release()
      }
    },
    end: () => pool.end(),
  }
}
