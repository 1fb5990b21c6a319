import { checkServerIdentity } from 'node:tls'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import type { ConnectionConfig } from 'mariadb'

/** Longer than any client waits for a response. */
export const MAX_WAIT_MS = 5_000

type Tls = ConnectionConfig['ssl'] | undefined

/** The meanings of `ssl-mode` in a URL, named as in MySQL's own clients. */
const tlsByMode = {
  DISABLED: (): Tls => undefined,
  REQUIRED: (): Tls => ({ rejectUnauthorized: false }),
  VERIFY_CA: (): Tls => identityChecked(() => undefined),
  // Verifies the host of the URL: for an IP address the connector passes none, and Node would compare with
  // localhost.
  VERIFY_IDENTITY: (host: string): Tls =>
    identityChecked((_, certificate) => checkServerIdentity(host, certificate)),
}

type SslMode = keyof typeof tlsByMode

/** Casts the options: the connector passes them to Node's TLS but types only some of them. */
const identityChecked = (check: typeof checkServerIdentity): Tls => ({ checkServerIdentity: check }) as Tls

/**
 * Returns connection options from `mysql://user:password@host:port/database?ssl-mode=VERIFY_IDENTITY`. TLS
 * trusts Node's certificate authorities and those in NODE_EXTRA_CA_CERTS. Throws on an unknown option instead
 * of ignoring it. Setting up a connection must not require a statement: when one fails, the connector used by
 * Prisma leaves an unhandled rejection, which ends the process.
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
    // A pool looks twice a second for connections that were idle for longer, and thereby wakes an idle process.
    idleTimeout: 0,
    ...(ssl === undefined ? {} : { ssl }),
    // For an account unknown since its start, MySQL 8 accepts the password only over TLS or encrypted with a
    // key from the server. Without this option no service could connect. The network is trusted anyway:
    // without TLS, statements and rows are sent in plain text.
    allowPublicKeyRetrieval: ssl === undefined,
  }
}

function sslModeOf(url: URL): SslMode {
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'ssl-mode')
  if (unknown !== undefined)
    throw new Error(`The database URL has the unknown option ${unknown}; only ssl-mode is known.`)
  const mode = url.searchParams.get('ssl-mode') ?? 'DISABLED'
  if (!(mode in tlsByMode)) {
    throw new Error(`ssl-mode=${mode} of the database URL is none of ${Object.keys(tlsByMode).join(', ')}.`)
  }
  return mode as SslMode
}

/** Returns the adapter for `new PrismaClient({ adapter })`. Connects lazily. */
export function prismaAdapter(databaseUrl: string, poolSize = 12): PrismaMariaDb {
  const pool = {
    ...connectionOptions(databaseUrl),
    connectionLimit: poolSize,
    minimumIdle: Math.min(2, poolSize),
    acquireTimeout: MAX_WAIT_MS,
    // A pooled connection is pinged before use only if unused for this long, not for 0.5 s: at rest every statement of a
    // periodic job cost two round trips. A connection that the server closes leaves the pool by itself.
    minDelayValidation: 10_000,
    // Drops connections to an unresponsive server.
    socketTimeout: MAX_WAIT_MS + 1_000,
  }
  // Text protocol: without its cache the binary protocol costs an extra round trip per statement.
  return new PrismaMariaDb(pool, { useTextProtocol: true })
}
