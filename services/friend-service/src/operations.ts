import { uuidv7 } from '@bigtech/contracts'
import { createOutbox } from '@bigtech/outbox'
import { loadConfig, type OpenOperations, untilReachable } from '@bigtech/service-kit'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { ownedPairs, republishPairs } from './modules/friendship/owned-pairs.ts'
import { peopleCopies } from './modules/people/people.copies.ts'
import { PeopleRepository } from './modules/people/people.repository.ts'

const storeSchema = z.object({ DATABASE_URL: configSchema.shape.DATABASE_URL })

/** Opens the operators' operations of friend-service. The running service publishes the stored events. */
export const openOperations: OpenOperations = async (env) => {
  const { DATABASE_URL } = loadConfig(storeSchema, env)
  const mysql = createMysql(DATABASE_URL, new Registry())
  await untilReachable(() => mysql.ping())
  const outbox = createOutbox('friend-service')
  return {
    owned: () => ownedPairs(mysql),
    copies: peopleCopies(mysql, new PeopleRepository(mysql)),
    republish: ({ raiseVersions }) =>
      republishPairs(mysql, outbox, { raiseVersions, correlationId: uuidv7() }),
    close: () => mysql.close(),
  }
}
