import { join } from 'node:path'
import { describeMigrations } from '@bigtech/testkit'

const folder = join(import.meta.dirname, '..')

describeMigrations({
  migrationsDir: join(folder, 'migrations'),
  schemaPath: join(folder, 'prisma', 'schema.prisma'),
})
