import { loadConfig, type OpenOperations, untilReachable } from '@bigtech/service-kit'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { contactCopies } from './modules/contacts/contacts.copies.ts'
import { ContactsRepository } from './modules/contacts/contacts.repository.ts'

const storeSchema = z.object({ DATABASE_URL: configSchema.shape.DATABASE_URL })

/** Opens the operators' operations of notification-service. */
export const openOperations: OpenOperations = async (env) => {
  const { DATABASE_URL } = loadConfig(storeSchema, env)
  const mysql = createMysql(DATABASE_URL, new Registry())
  await untilReachable(() => mysql.ping())
  return {
    copies: contactCopies(mysql, new ContactsRepository(mysql)),
    close: () => mysql.close(),
  }
}
