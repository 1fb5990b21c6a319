import { type Service, StoreMetrics, superviseMysql } from '@bigtech/service-kit'
import { prismaAdapter, SqlStore } from '@bigtech/stores'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Inside a transaction: Prisma's client, bound to it. */
export type Tx = Prisma.TransactionClient
export type Mysql = SqlStore<Tx, PrismaClient>

const POOL_SIZE = 16

/** Opens this service's database and closes it when the service stops. It need not be there yet. */
export function openMysql(service: Service, databaseUrl: string): Mysql {
  const prisma = new PrismaClient({ adapter: prismaAdapter(databaseUrl, POOL_SIZE) })
  const mysql = new SqlStore<Tx, PrismaClient>(prisma, databaseUrl, new StoreMetrics(service.metrics))
  // Without it a new process can do nothing. One with a memory goes on sending to the rooms in use, and
  // every process out of the balancer at once would help nobody.
  superviseMysql(service, mysql, { dispensable: true })
  return mysql
}
