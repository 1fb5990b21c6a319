import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createTestKafka,
  createTestMongo,
  createTestMysql,
  createTestRedis,
  type ServiceProcess,
  startServiceProcess,
} from '@bigtech/testkit'

const services = join(import.meta.dirname, '..', '..', 'services')
const nodeOptions = ['--import', '@bigtech/service-kit/tracing']

export interface TracedSystem {
  readonly user: ServiceProcess
  readonly chat: ServiceProcess
  readonly analytics: ServiceProcess
  stop(): Promise<void>
}

/** Starts user-, chat- and analytics-service as processes with the tracing preload, on stores of their own. */
export async function startTracedSystem(env: Readonly<Record<string, string>>): Promise<TracedSystem> {
  const database = (service: string) =>
    createTestMysql({ migrationsDir: join(services, service, 'migrations') })
  const [userDb, chatDb, analyticsDb, userRedis, chatRedis, kafka] = await Promise.all([
    database('user-service'),
    database('chat-service'),
    database('analytics-service'),
    createTestRedis(),
    createTestRedis(),
    createTestKafka(),
  ])
  const mongo = createTestMongo()
  const folder = mkdtempSync(join(tmpdir(), 'traced-'))
  const keyFile = join(folder, 'key.pem')
  writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const running: ServiceProcess[] = []
  const start = async (name: string, own: Record<string, string>) => {
    const common = {
      NODE_ENV: 'test',
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
      ...env,
    }
    const service = await startServiceProcess({
      folder: join(services, name),
      env: { ...common, ...own },
      nodeOptions,
    })
    running.push(service)
    return service
  }
  const stop = async () => {
    await Promise.all(running.map((service) => service.stop()))
    await Promise.all([userDb, chatDb, analyticsDb, mongo].map((store) => store.drop()))
    await Promise.all([userRedis.release(), chatRedis.release(), kafka.remove()])
    rmSync(folder, { recursive: true })
  }
  try {
    const user = await start('user-service', {
      DATABASE_URL: userDb.url,
      REDIS_URL: userRedis.url,
      JWT_PRIVATE_KEY_FILE: keyFile,
      TOTP_KEYS: 'a-key-of-tests-alone',
      BCRYPT_COST: '4',
    })
    const JWKS_URL = `${user.url}/.well-known/jwks.json`
    const chat = await start('chat-service', {
      DATABASE_URL: chatDb.url,
      REDIS_URL: chatRedis.url,
      MONGO_URL: mongo.url,
      JWKS_URL,
      SENDS_PER_10_SECONDS: '1000000',
    })
    const analytics = await start('analytics-service', { DATABASE_URL: analyticsDb.url, JWKS_URL })
    return { user, chat, analytics, stop }
  } catch (err) {
    await stop()
    throw err
  }
}
