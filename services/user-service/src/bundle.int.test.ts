import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createTestKafka,
  createTestMysql,
  createTestRedis,
  startServiceProcess,
  waitFor,
} from '@bigtech/testkit'
import { expect, it, onTestFinished } from 'vitest'
import { bundleService, compiledCode } from '../../../infrastructure/docker/images/bundle.ts'

const folder = join(import.meta.dirname, '..')

it('user-service bundled as in its image serves its pages, its metrics and a sign-in with a password thread', {
  timeout: 60_000,
}, async () => {
  const target = mkdtempSync(join(tmpdir(), 'bundle-'))
  const [[file], kafka, mysql, redis] = await Promise.all([
    bundleService(folder, target),
    createTestKafka({ partitions: 1 }),
    createTestMysql({ migrationsDir: join(folder, 'migrations') }),
    createTestRedis(),
  ])
  const keyFile = join(target, 'key.pem')
  writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const unused = 'http://127.0.0.1:9'
  const service = await startServiceProcess({
    folder,
    entry: file!,
    nodeOptions: ['--import', '@bigtech/service-kit/tracing'],
    env: {
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: compiledCode(target),
      JWT_PRIVATE_KEY_FILE: keyFile,
      TOTP_KEYS: 'x'.repeat(64),
      DATABASE_URL: mysql.url,
      REDIS_URL: redis.url,
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: kafka.topicPrefix,
      FRIEND_SERVICE_URL: unused,
      CHAT_SERVICE_URL: unused,
      NOTIFICATION_SERVICE_URL: unused,
      MEDIA_SERVICE_URL: unused,
      PUBLIC_URL: unused,
    },
  })
  onTestFinished(async () => {
    await service.stop()
    await Promise.all([kafka.remove(), mysql.drop(), redis.release()])
    rmSync(target, { recursive: true })
  })
  const statusOf = async (path: string, init?: RequestInit) => (await fetch(service.url + path, init)).status
  const login = {
    method: 'POST',
    body: new URLSearchParams({ username: 'nobody@example.com', password: 'Test1234!@' }),
  }
  await waitFor(async () => (await statusOf('/ready')) === 200, { what: 'readiness' })
  expect(await statusOf('/docs/static/swagger-ui.css')).toBe(200)
  expect(await statusOf('/metrics')).toBe(200)
  expect(await statusOf('/auth/login', login)).toBe(401)
})
