import { type Service, StoreMetrics, superviseMysql } from '@bigtech/service-kit'
import { prismaAdapter, SqlStore } from '@bigtech/stores'
import type { Registry } from 'prom-client'
import { type Prisma, PrismaClient } from '../generated/prisma/client.ts'

/** Inside a transaction: Prisma's client, bound to it. */
export type Tx = Prisma.TransactionClient
export type Mysql = SqlStore<Tx, PrismaClient>

/** Sees every statement; tests count them and look at their plans. */
export type QueryListener = (sql: string, params: string) => void

function observed(adapter: ReturnType<typeof prismaAdapter>, onQuery: QueryListener): PrismaClient {
  const client = new PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
  client.$on('query', (event) => onQuery(event.query, event.params))
  return client as unknown as PrismaClient
}

/** This service's database, without a service around it. */
export function createMysql(databaseUrl: string, metrics: Registry, onQuery?: QueryListener): Mysql {
  const adapter = prismaAdapter(databaseUrl)
  const prisma = onQuery ? observed(adapter, onQuery) : new PrismaClient({ adapter })
  return new SqlStore<Tx, PrismaClient>(prisma, databaseUrl, new StoreMetrics(metrics))
}

/** Opens the database and closes it when the service stops. It need not be there yet. */
export function openMysql(service: Service, databaseUrl: string, onQuery?: QueryListener): Mysql {
  const mysql = createMysql(databaseUrl, service.metrics, onQuery)
  superviseMysql(service, mysql)
  return mysql
}
