import { type Service, StoreMetrics, superviseMysql } from '@bigtech/service-kit'
import { prismaAdapter, SqlStore } from '@bigtech/stores'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Inside a transaction: Prisma's client, bound to it. */
export type Tx = Prisma.TransactionClient
export type Mysql = SqlStore<Tx, PrismaClient>

/** Opens this service's database and closes it when the service stops. It need not be there yet. */
export function openMysql(service: Service, databaseUrl: string): Mysql {
  const prisma = new PrismaClient({ adapter: prismaAdapter(databaseUrl) })
  const mysql = new SqlStore<Tx, PrismaClient>(prisma, databaseUrl, new StoreMetrics(service.metrics))
  superviseMysql(service, mysql)
  return mysql
}
