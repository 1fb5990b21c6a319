import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { userLoggedIn } from '@bigtech/contracts'
import { collectEvents, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type TestWorld, testWorld } from '../testing/harness.ts'

let world: TestWorld
beforeAll(async () => {
  world = await testWorld()
})
afterAll(() => world.close())

function startProcess(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts')], {
    env: {
      NODE_ENV: 'test',
      PORT: '0',
      DATABASE_URL: world.mysql.url,
      REDIS_URL: world.redis.url,
      KAFKA_BROKERS: world.kafka.brokers.join(','),
      KAFKA_TOPIC_PREFIX: world.kafka.topicPrefix,
      JWT_PRIVATE_KEY_FILE: world.keyFile,
      TOTP_KEYS: 'a-key-of-tests-alone',
      BCRYPT_COST: '4',
      ...env,
    },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  return { child, output, exit: once(child, 'exit') }
}

describe('the server process', () => {
  it('the server exits with 1 and one line about an invalid configuration', async () => {
    const { output, exit } = startProcess({
      JWT_PRIVATE_KEY_FILE: '/nowhere/key.pem',
      DATABASE_URL: world.mysql.url,
    })
    expect((await exit)[0]).toBe(1)
    expect(output.stderr.trim().split('\n')).toHaveLength(1)
    expect(output.stderr).toContain('/nowhere/key.pem')
    expect(output.stdout).toBe('')
  })

  it('the server publishes every stored event before exiting on SIGTERM', async () => {
    const { child, output, exit } = startProcess({})
    const url = await waitFor(() => /listening at (http:[^"]+)"/.exec(output.stdout)?.[1], {
      timeoutMs: 30_000,
    })
    const post = (path: string, body: unknown) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    await post('/auth/register', { email: 'canary@example.com', username: 'canary', password: PASSWORD })
    await waitFor(
      async () => (await post('/auth/login/json', { email: 'canary@example.com', password: PASSWORD })).ok,
    )
    await waitFor(async () => {
      const rows = await world.mysql.query('SELECT 1 FROM outbox WHERE sent = 0')
      return rows.length === 0
    })
    child.kill('SIGTERM')
    expect((await exit)[0]).toBe(0)
    const { brokers, topicPrefix } = world.kafka
    const events = await collectEvents({ brokers, topicPrefix, topics: ['user.events'] })
    await events.waitFor(userLoggedIn)
    await events.stop()
    // Neither a password nor a token at any log level.
    expect(output.stdout + output.stderr).not.toMatch(/Test1234|eyJ|\$2b\$/)
  })
})
