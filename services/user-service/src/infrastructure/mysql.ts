import { StoreMetrics } from '@bigtech/service-kit'
import { HOT_CONNECTIONS, prismaAdapter, SqlStore } from '@bigtech/stores'
import type { Registry } from 'prom-client'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Prisma's client in a transaction. */
export type Transaction = Prisma.TransactionClient
export type Mysql = SqlStore<Transaction, PrismaClient>

/** Creates the store of this service's database. Connects lazily. */
export function createMysql(databaseUrl: string, metrics: Registry, poolSize: number): Mysql {
  const adapter = prismaAdapter(databaseUrl, Math.max(1, poolSize - HOT_CONNECTIONS))
  const client = new PrismaClient({ adapter })
  return new SqlStore<Transaction, PrismaClient>(client, databaseUrl, new StoreMetrics(metrics))
}
