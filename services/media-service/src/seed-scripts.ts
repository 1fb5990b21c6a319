import { createLogger, createMetrics, loadConfig, readPositionals, StoreMetrics } from '@bigtech/service-kit'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { ObjectStore } from './infrastructure/object-store.ts'
import { ScriptRepository } from './modules/practice/script.repository.ts'
import { seedScripts } from './modules/practice/seed-scripts.ts'

/** The command that stores the practice scripts, after the migrations; may run any number of times. */
const seedConfig = z.object({
  LOG_LEVEL: configSchema.shape.LOG_LEVEL,
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

readPositionals(
  'Usage: node src/seed-scripts.ts\nSpeaks the clips of the practice scripts and stores both; needs espeak-ng (ESPEAK_PATH) and the settings of media-service.',
)
try {
  const config = loadConfig(seedConfig)
  const log = createLogger({ service: 'media-seed', level: config.LOG_LEVEL })
  const metrics = createMetrics('media-seed')
  const mysql = createMysql(config.DATABASE_URL, metrics)
  const objects = new ObjectStore(config, new StoreMetrics(metrics))
  await objects.prepare()
  const scripts = await seedScripts({
    scripts: new ScriptRepository(mysql),
    objects,
    espeakPath: config.ESPEAK_PATH,
  })
  log.info({ scripts }, 'practice scripts stored')
  objects.close()
  await mysql.client.$disconnect()
} catch (err) {
  process.stderr.write(
    `${(err as Error).name === 'ConfigError' ? (err as Error).message : (err as Error).stack}\n`,
  )
  process.exit(1)
}
