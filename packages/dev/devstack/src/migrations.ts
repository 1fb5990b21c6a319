import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { resolveBinary } from 'dbmate'
import { databaseUrl } from './databases.ts'
import type { Instance, Passwords } from './instance.ts'
import { step } from './progress.ts'
import { run } from './run.ts'
import { type ServiceRow, services } from './services.ts'

/** Applies the migrations of every service with the owner account. */
export async function migrate(instance: Instance, passwords: Passwords): Promise<void> {
  const rows = services.filter(
    (service) => service.database && !service.partOf && hasMigrations(instance.root, service),
  )
  if (rows.length === 0) return
  await step(`Migrations of ${rows.length} databases`, async (say) => {
    await Promise.all(rows.map((row) => migrateOne(row, instance, passwords, say)))
  })
}

function migrationsFolder(root: string, service: ServiceRow): string {
  return join(root, service.folder, 'migrations')
}

function hasMigrations(root: string, service: ServiceRow): boolean {
  const folder = migrationsFolder(root, service)
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.sql'))
}

async function migrateOne(
  service: ServiceRow,
  instance: Instance,
  passwords: Passwords,
  say: (text: string) => void,
): Promise<void> {
  const { database } = service
  if (!database) return
  const url = databaseUrl(instance, passwords, `${database.account}_owner`, database.name)
  await run(
    resolveBinary(),
    ['--migrations-dir', migrationsFolder(instance.root, service), '--no-dump-schema', 'migrate'],
    {
      env: { ...process.env, DATABASE_URL: url },
      onLine: (line) => line.startsWith('Applied') && say(`${service.name} ${line}`),
    },
  )
}
