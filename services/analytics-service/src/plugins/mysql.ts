import { type Service, StoreMetrics, superviseMysql } from '@bigtech/service-kit'
import { prismaAdapter, SqlStore } from '@bigtech/stores'
import type { Registry } from 'prom-client'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Inside a transaction: Prisma's client, bound to it. */
export type Tx = Prisma.TransactionClient
export type Mysql = SqlStore<Tx, PrismaClient>

const POOL_SIZE = 8

/** This service's database, without a service around it. */
export function createMysql(databaseUrl: string, metrics: Registry): Mysql {
  const prisma = new PrismaClient({ adapter: prismaAdapter(databaseUrl, POOL_SIZE) })
  return new SqlStore<Tx, PrismaClient>(prisma, databaseUrl, new StoreMetrics(metrics))
}

/** Opens the database and closes it when the service stops. It need not be there yet. */
export function openMysql(service: Service, databaseUrl: string): Mysql {
  const mysql = createMysql(databaseUrl, service.metrics)
  superviseMysql(service, mysql)
  return mysql
}
