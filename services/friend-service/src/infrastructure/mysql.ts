import { StoreMetrics } from '@bigtech/service-kit'
import { HOT_CONNECTIONS, prismaAdapter, SqlStore, type Statement } from '@bigtech/stores'
import type { Registry } from 'prom-client'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Prisma's client in a transaction. */
export type Tx = Prisma.TransactionClient
export type Mysql = SqlStore<Tx, PrismaClient>

const POOL_SIZE = 12

/** Receives every statement; tests count statements and inspect their plans. */
export type QueryListener = (sql: string, params: string) => void

/** Creates the store of this service's database. Connects lazily. */
export function createMysql(databaseUrl: string, metrics: Registry, onQuery?: QueryListener): Mysql {
  const adapter = prismaAdapter(databaseUrl, POOL_SIZE - HOT_CONNECTIONS)
  const client = onQuery ? observed(adapter, onQuery) : new PrismaClient({ adapter })
  const onRead = onQuery && (({ sql, values }: Statement) => onQuery(sql, JSON.stringify(values)))
  return new SqlStore<Tx, PrismaClient>(client, databaseUrl, new StoreMetrics(metrics), onRead)
}

function observed(adapter: ReturnType<typeof prismaAdapter>, onQuery: QueryListener): PrismaClient {
  const client = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
  client.$on('query', (event) => onQuery(event.query, event.params))
  return client as unknown as PrismaClient
}
