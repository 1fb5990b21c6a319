import { checkServerIdentity } from 'node:tls'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import type { ConnectionConfig } from 'mariadb'

/** Longer than anybody waits for an answer. */
export const MAX_WAIT_MS = 5_000

type Tls = ConnectionConfig['ssl'] | undefined

/** What `ssl-mode` of a URL means, under the names of MySQL's own clients. */
const tlsByMode = {
  DISABLED: (): Tls => undefined,
  REQUIRED: (): Tls => ({ rejectUnauthorized: false }),
  VERIFY_CA: (): Tls => identityChecked(() => undefined),
  // By the host of the URL: the connector names none for an address, and Node would compare with localhost.
  VERIFY_IDENTITY: (host: string): Tls =>
    identityChecked((_, certificate) => checkServerIdentity(host, certificate)),
}

type SslMode = keyof typeof tlsByMode

/** The connector hands its options to Node's TLS, and types only some of them. */
const identityChecked = (check: typeof checkServerIdentity): Tls => ({ checkServerIdentity: check }) as Tls

/**
 * How to connect, from `mysql://user:password@host:port/database?ssl-mode=VERIFY_IDENTITY`. TLS trusts the authorities
 * of Node and those in NODE_EXTRA_CA_CERTS. Throws on an option that it does not know, so that none is ignored. No statement may be needed to set a
 * connection up: when one fails half way, the connector that Prisma uses leaves a rejection that
 * nobody handles, and that ends the process.
 */
export function connectionOptions(databaseUrl: string) {
  const url = new URL(databaseUrl)
  const ssl = tlsByMode[sslModeOf(url)](url.hostname)
  return {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    connectTimeout: 1_000,
    initializationTimeout: 1_000,
    collation: 'UTF8MB4_UNICODE_CI',
    ...(ssl === undefined ? {} : { ssl }),
    // MySQL 8 takes the password of an account that it has not seen since its start by TLS or encrypted with a
    // key that it hands out itself. Without this it lets no service in. The network between is trusted anyway:
    // without TLS statements and rows go over it as they are.
    allowPublicKeyRetrieval: ssl === undefined,
  }
}

function sslModeOf(url: URL): SslMode {
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'ssl-mode')
  if (unknown !== undefined)
    throw new Error(`The database URL has the option ${unknown}; only ssl-mode is known.`)
  const mode = url.searchParams.get('ssl-mode') ?? 'DISABLED'
  if (!(mode in tlsByMode)) {
    throw new Error(`ssl-mode=${mode} of the database URL is none of ${Object.keys(tlsByMode).join(', ')}.`)
  }
  return mode as SslMode
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
