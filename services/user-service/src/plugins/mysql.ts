import { type Service, StoreMetrics, superviseMysql } from '@bigtech/service-kit'
import { prismaAdapter, SqlStore } from '@bigtech/stores'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Prisma's client, bound to a transaction. */
export type Transaction = Prisma.TransactionClient
export type Mysql = SqlStore<Transaction, PrismaClient>

/** Opens this service's database and closes it when the service stops. It need not be there yet. */
export function openMysql(service: Service, databaseUrl: string, poolSize: number): Mysql {
  const prisma = new PrismaClient({ adapter: prismaAdapter(databaseUrl, poolSize) })
  const metrics = new StoreMetrics(service.metrics)
  const mysql = new SqlStore<Transaction, PrismaClient>(prisma, databaseUrl, metrics)
  superviseMysql(service, mysql)
  return mysql
}
