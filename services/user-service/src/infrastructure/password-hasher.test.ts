import { createLogger, createMetrics, Lifecycle, type Service } from '@bigtech/service-kit'
import { afterAll, expect, it } from 'vitest'
import { openPasswordHasher } from './password-hasher.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const lifecycle = new Lifecycle(log)
const service = { log, lifecycle, metrics: createMetrics('test') } as unknown as Service
const passwords = openPasswordHasher(service, { cost: 9, workers: 1, queue: 50 })
afterAll(() => lifecycle.stop())

it('the password hasher rejects with OVERLOADED as soon as the deadline passes, without waiting for earlier work', async () => {
  const busy = Promise.all(Array.from({ length: 6 }, () => passwords.hash('Test1234!@')))
  let finished = false
  void busy.then(() => {
    finished = true
  })
  const refused = passwords.hash('Test1234!@', AbortSignal.timeout(1))
  await expect(refused).rejects.toMatchObject({ code: 'OVERLOADED', status: 503 })
  expect(finished).toBe(false)
  await busy
})

it('the password hasher rejects work whose deadline passed while it ran, because the caller already has a response', async () => {
  const deadline = new AbortController()
  const hash = passwords.hash('Test1234!@', deadline.signal)
  deadline.abort()
  await expect(hash).rejects.toMatchObject({ code: 'OVERLOADED' })
})
