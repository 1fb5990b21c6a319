import { StoreMetrics } from '@bigtech/service-kit'
import { HOT_CONNECTIONS, prismaAdapter, SqlStore } from '@bigtech/stores'
import type { Registry } from 'prom-client'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Prisma's client in a transaction. */
type Tx = Prisma.TransactionClient
export type Mysql = SqlStore<Tx, PrismaClient>

const POOL_SIZE = 8

/** Creates the store of this service's database. Connects lazily. */
export function createMysql(databaseUrl: string, metrics: Registry): Mysql {
  const client = new PrismaClient({ adapter: prismaAdapter(databaseUrl, POOL_SIZE - HOT_CONNECTIONS) })
  return new SqlStore<Tx, PrismaClient>(client, databaseUrl, new StoreMetrics(metrics))
}
