import { createMetrics, loadConfig, runCommand, StoreMetrics } from '@bigtech/service-kit'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { ObjectStore } from './infrastructure/object-store.ts'
import { S3Connection } from './infrastructure/s3-connection.ts'
import { ScriptRepository } from './modules/practice/script.repository.ts'
import { seedScripts } from './modules/practice/seed-scripts.ts'

/** The configuration of the command that stores the practice scripts after the migrations. Idempotent. */
const seedConfig = z.object({
  DATABASE_URL: configSchema.shape.DATABASE_URL,
  S3_URL: configSchema.shape.S3_URL,
  S3_PUBLIC_URL: configSchema.shape.S3_PUBLIC_URL,
  S3_REGION: configSchema.shape.S3_REGION,
  S3_ACCESS_KEY: configSchema.shape.S3_ACCESS_KEY,
  S3_SECRET_KEY: configSchema.shape.S3_SECRET_KEY,
  S3_BUCKET: configSchema.shape.S3_BUCKET,
  S3_CORS_ORIGINS: configSchema.shape.S3_CORS_ORIGINS,
  ESPEAK_PATH: z.string().min(1).default('espeak-ng'),
})

const usage = `Usage: node src/seed-scripts.ts
Speaks the clips of the practice scripts and stores both; what is there already is left alone. Needs espeak-ng.

Environment: ESPEAK_PATH, DATABASE_URL and S3_* of media-service`

await runCommand({
  usage,
  maxPositionals: 0,
  run: async () => {
    const config = loadConfig(seedConfig)
    const metrics = createMetrics('media-seed')
    const mysql = createMysql(config.DATABASE_URL, metrics)
    const s3 = new S3Connection(config, new StoreMetrics(metrics))
    const objects = new ObjectStore(s3)
    try {
      await objects.prepare()
      const scripts = new ScriptRepository(mysql)
      const stored = await seedScripts({ scripts, objects, espeakPath: config.ESPEAK_PATH })
      process.stdout.write(`${stored} practice scripts stored\n`)
      return 0
    } finally {
      s3.close()
      await mysql.close()
    }
  },
})
