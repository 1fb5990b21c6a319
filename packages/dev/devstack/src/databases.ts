import { createConnection } from 'mariadb'
import type { Instance, Passwords } from './instance.ts'
import { services } from './services.ts'

/**
 * Returns the statements for one database per service with two accounts: the service may only read and write
 * rows; the owner account changes tables and is used by migrations only. Idempotent.
 */
export function databaseStatements(passwords: Passwords): string[] {
  return services.flatMap(({ database, partOf }) => {
    if (!database || partOf) return []
    const owner = `${database.account}_owner`
    return [
      `CREATE DATABASE IF NOT EXISTS \`${database.name}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
      ...account(database.account, passwords(database.account)),
      ...account(owner, passwords(owner)),
      `GRANT SELECT, INSERT, UPDATE, DELETE ON \`${database.name}\`.* TO '${database.account}'@'%'`,
      `GRANT ALL PRIVILEGES ON \`${database.name}\`.* TO '${owner}'@'%'`,
    ]
  })
}

function account(name: string, password: string): string[] {
  return [
    `CREATE USER IF NOT EXISTS '${name}'@'%' IDENTIFIED BY '${password}'`,
    `ALTER USER '${name}'@'%' IDENTIFIED BY '${password}'`,
  ]
}

export const MYSQL_ROOT = 'mysql-root'

/** Creates databases and accounts on the running server. */
export async function createDatabases(instance: Instance, passwords: Passwords): Promise<void> {
  const connection = await createConnection({
    host: '127.0.0.1',
    port: instance.ports.mysql,
    user: 'root',
    password: passwords(MYSQL_ROOT),
    connectTimeout: 10_000,
    // MySQL 8 requires it for a sign-in with a password and without TLS.
    allowPublicKeyRetrieval: true,
  })
  try {
    for (const statement of databaseStatements(passwords)) await connection.query(statement)
  } finally {
    await connection.end()
  }
}

/** `mysql://account:password@host:port/database` */
export function databaseUrl(
  instance: Instance,
  passwords: Passwords,
  account: string,
  database: string,
): string {
  return `mysql://${account}:${passwords(account)}@127.0.0.1:${instance.ports.mysql}/${database}`
}

/** Returns the MongoDB address: for a service its database (and on a real MongoDB its account), else the server's. */
export function mongoUrl(instance: Instance, passwords: Passwords, database?: string): string {
  const { isDocker, ports } = instance
  const server = `127.0.0.1:${ports.mongo}`
  if (!isDocker) return `mongodb://${server}${database ? `/${database}` : ''}`
  // The replica set's member is named for clients inside Docker: connect to it directly.
  if (!database)
    return `mongodb://root:${passwords('mongo-root')}@${server}/?authSource=admin&directConnection=true`
  return `mongodb://chat_service:${passwords('mongo-chat')}@${server}/${database}?directConnection=true`
}
