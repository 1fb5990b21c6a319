import { loadConfig, type OpenOperations, untilReachable } from '@bigtech/service-kit'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { checkAccounts, checkFigures } from './modules/stats/stats-check.repository.ts'

const storeSchema = z.object({ DATABASE_URL: configSchema.shape.DATABASE_URL })

/** Opens the operators' operations of analytics-service, which has counts in place of copies. */
export const openOperations: OpenOperations = async (env) => {
  const { DATABASE_URL } = loadConfig(storeSchema, env)
  const mysql = createMysql(DATABASE_URL, new Registry())
  await untilReachable(() => mysql.ping())
  return {
    verify: ({ fix }) => checkFigures(mysql, { fix, now: Date.now }),
    verifyOwned: (facts, { fix }) => checkAccounts(mysql, facts, { fix }),
    close: () => mysql.close(),
  }
}
