import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestKafka, createTestMysql, createTestRedis, startServiceProcess } from '@bigtech/testkit'
import { nodeOptionsOf } from './measure-reads.ts'

const root = join(import.meta.dirname, '..', '..', 'services')
const migrationsOf = (service: string) => join(root, service, 'migrations')

export type AccountSubject = Awaited<ReturnType<typeof startAccountSubject>>

/** Starts user-service and friend-service on stores of their own, without limits that a load reaches. */
export async function startAccountSubject() {
  const [users, friends, redis, kafka] = await Promise.all([
    createTestMysql({ migrationsDir: migrationsOf('user-service') }),
    createTestMysql({ migrationsDir: migrationsOf('friend-service') }),
    createTestRedis(),
    createTestKafka({ partitions: 1 }),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'account-reads-'))
  const keyFile = join(folder, 'key.pem')
  writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const media = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ used_bytes: 0, quota_bytes: 1, file_count: 0, recording_count: 0 }))
  })
  await new Promise<void>((resolve) => media.listen(0, '127.0.0.1', resolve))
  const env = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
  }
  const user = await startServiceProcess({
    folder: join(root, 'user-service'),
    nodeOptions: nodeOptionsOf('user-service'),
    env: {
      ...env,
      DATABASE_URL: users.url,
      REDIS_URL: redis.url,
      JWT_PRIVATE_KEY_FILE: keyFile,
      TOTP_KEYS: 'a-key-of-tests-alone',
      MEDIA_SERVICE_URL: `http://127.0.0.1:${(media.address() as { port: number }).port}`,
      BCRYPT_COST: '10',
      REGISTRATIONS_PER_HOUR: '1000',
    },
  })
  const friend = await startServiceProcess({
    folder: join(root, 'friend-service'),
    nodeOptions: nodeOptionsOf('friend-service'),
    env: {
      ...env,
      DATABASE_URL: friends.url,
      JWKS_URL: `${user.url}/.well-known/jwks.json`,
      USER_SERVICE_URL: user.url,
      FRIEND_ACTIONS_PER_HOUR: '100000',
    },
  })
  return {
    user: user.url,
    userPid: user.pid,
    friend: friend.url,
    stop: async () => {
      await Promise.all([user.stop(), friend.stop()])
      media.close()
      await Promise.all([users.drop(), friends.drop(), redis.release(), kafka.remove()])
      rmSync(folder, { recursive: true })
    },
  }
}
