import { type ChildProcess, spawn } from 'node:child_process'
import { once as onceEvent } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type EventOf, friendRequestAccepted } from '@bigtech/contracts'
import { createTestKafka, createTestMysql, type TestMysql } from '@bigtech/testkit'
import { createPool, type PoolConnection } from 'mariadb'
import { pino } from 'pino'
import type { TransactionRunner } from '../inbox.ts'
import { createKafka, type KafkaConnection } from '../kafka.ts'
import { inboxTableSql, outboxTableSql } from '../outbox/schema.ts'
import { eventRecord, type KafkaRecord } from '../record.ts'

export const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })

export const TOPIC = 'friend.events'
export type Accepted = EventOf<typeof friendRequestAccepted>

export interface TestBed {
  readonly kafka: KafkaConnection
  readonly brokers: readonly string[]
  readonly prefix: string
  remove(): Promise<void>
}

/** A connection whose topics nobody else has. */
export async function createTestBed(partitions = 3): Promise<TestBed> {
  const { brokers, topicPrefix: prefix, remove } = await createTestKafka({ partitions })
  const kafka = createKafka({ clientId: 'kafka-test', brokers, topicPrefix: prefix, log })
  return {
    kafka,
    brokers,
    prefix,
    remove: async () => {
      await kafka.close()
      await remove()
    },
  }
}

export interface TestDatabase extends TransactionRunner<PoolConnection> {
  readonly mysql: TestMysql
  drop(): Promise<void>
}

/** A database with outbox, inbox and a table `effect` that counts what consumers did. */
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

/** Transactions on a pool of the MariaDB connector, shaped like Prisma's. */
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

/** An event of the pair 1:`other`; `n` tells it from others of the pair. */
export function accepted(n: number, other = 2): Accepted {
  const payload = { request_id: n + 1, from_user_id: 1, to_user_id: other }
  return friendRequestAccepted.create(payload, { correlationId: `request-${n}` })
}

export function recordOf(event: Accepted): KafkaRecord {
  return eventRecord(friendRequestAccepted, event, 'kafka-test')
}

const children = new Set<ChildProcess>()

/** Runs a script of this folder as a process of its own. */
export function startProcess(script: string, settings: object): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [path, JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Ends a process the hard way and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await onceEvent(child, 'exit')
}

/** For `afterEach`: a failed test leaves no process behind. */
export async function killAll(): Promise<void> {
  await Promise.all([...children].map(kill))
}
