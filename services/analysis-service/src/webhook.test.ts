import { startHttpServer, type TestHttpServer } from '@bigtech/testkit'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { deliver } from './webhook.ts'

let receiver: TestHttpServer
let statuses: number[] = []
let ids: unknown[] = []

beforeAll(async () => {
  receiver = await startHttpServer((request, response) => {
    request.resume()
    ids.push(request.headers['webhook-id'])
    response.writeHead(statuses.shift() ?? 204).end()
  })
})
beforeEach(() => {
  statuses = []
  ids = []
})
afterAll(() => receiver.close())

function report(): Promise<boolean> {
  const options = { url: receiver.url, secret: 'a-secret-of-tests', log: { warn: () => undefined } }
  const error = { code: 'NO_SPEECH', detail: 'The recording contains no speech.', retryable: false } as const
  const job = { job_id: crypto.randomUUID(), analysis_id: crypto.randomUUID() }
  return deliver(options, { ...job, status: 'failed', error }, AbortSignal.timeout(60_000))
}

it('a webhook is retried under the same id while the receiver is busy', async () => {
  statuses = [429, 503]
  expect(await report()).toBe(true)
  expect(ids).toHaveLength(3)
  expect(new Set(ids).size).toBe(1)
})

it('a webhook rejected by the receiver is not retried', async () => {
  statuses = [409]
  expect(await report()).toBe(false)
  expect(ids).toHaveLength(1)
})
