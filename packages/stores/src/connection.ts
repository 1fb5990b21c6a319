import { PrismaMariaDb } from '@prisma/adapter-mariadb'

/** Longer than anybody waits for an answer. */
export const MAX_WAIT_MS = 5_000

/**
 * How to connect, from `mysql://user:password@host:port/database`. No statement may be needed to set a
 * connection up: when one fails half way, the connector that Prisma uses leaves a rejection that
 * nobody handles, and that ends the process.
 */
export function connectionOptions(databaseUrl: string) {
  const url = new URL(databaseUrl)
  return {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    connectTimeout: 1_000,
    initializationTimeout: 1_000,
    collation: 'UTF8MB4_UNICODE_CI',
    // MySQL 8 takes the password of an account that it has not seen since its start by TLS or encrypted with a
    // key that it hands out itself. Without this it lets no service in. The network between is trusted anyway:
    // without TLS statements and rows go over it as they are.
    allowPublicKeyRetrieval: true,
  }
}

/** For `new PrismaClient({ adapter })`; nothing is connected before it is needed. */
export function prismaAdapter(databaseUrl: string, poolSize = 12): PrismaMariaDb {
  const pool = {
    ...connectionOptions(databaseUrl),
    connectionLimit: poolSize,
    minimumIdle: Math.min(2, poolSize),
    acquireTimeout: MAX_WAIT_MS,
    // Frees connections to a server that went silent.
    socketTimeout: MAX_WAIT_MS + 1_000,
  }
  // As text: the binary protocol without its cache costs a round trip more for every statement.
  return new PrismaMariaDb(pool, { useTextProtocol: true })
}
