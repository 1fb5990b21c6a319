import {
  createMetrics,
  loadConfig,
  type OpenOperations,
  StoreMetrics,
  untilReachable,
} from '@bigtech/service-kit'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { ObjectStore } from './infrastructure/object-store.ts'
import { S3Connection } from './infrastructure/s3-connection.ts'
import { FileRemoval } from './modules/files/file-removal.repository.ts'
import { FileUses } from './modules/files/file-uses.repository.ts'
import { JobRepository } from './modules/jobs/job.repository.ts'
import { TakeRepository } from './modules/practice/take.repository.ts'
import { ExpectedObjects } from './modules/verification/expected-objects.repository.ts'
import { checkObjects } from './modules/verification/object-check.ts'
import { OwnedFiles } from './modules/verification/owned-files.repository.ts'
import { checkOwners } from './modules/verification/owner-check.ts'

const storeSchema = z.object({
  DATABASE_URL: configSchema.shape.DATABASE_URL,
  JOB_LEASE_SECONDS: configSchema.shape.JOB_LEASE_SECONDS,
  S3_URL: configSchema.shape.S3_URL,
  S3_PUBLIC_URL: configSchema.shape.S3_PUBLIC_URL,
  S3_REGION: configSchema.shape.S3_REGION,
  S3_ACCESS_KEY: configSchema.shape.S3_ACCESS_KEY,
  S3_SECRET_KEY: configSchema.shape.S3_SECRET_KEY,
  S3_BUCKET: configSchema.shape.S3_BUCKET,
  S3_CORS_ORIGINS: configSchema.shape.S3_CORS_ORIGINS,
})

/** Opens the operators' operations of media-service. */
export const openOperations: OpenOperations = async (env) => {
  const config = loadConfig(storeSchema, env)
  const metrics = createMetrics('media-operations')
  const mysql = createMysql(config.DATABASE_URL, metrics)
  const s3 = new S3Connection(config, new StoreMetrics(metrics))
  const store = new ObjectStore(s3)
  await untilReachable(() => mysql.ping())
  const uses = new FileUses()
  const owned = new OwnedFiles({
    mysql,
    uses,
    files: new FileRemoval(mysql, uses),
    takes: new TakeRepository(mysql, new JobRepository(mysql, config.JOB_LEASE_SECONDS)),
  })
  return {
    verify: ({ fix }) => checkObjects({ expected: new ExpectedObjects(mysql), store, fix, now: Date.now }),
    verifyOwned: (facts, { fix }) => checkOwners(owned, facts, { fix }),
    close: async () => {
      s3.close()
      await mysql.close()
    },
  }
}
