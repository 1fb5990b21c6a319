import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { defineRoute } from '@bigtech/contracts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { ServiceClient } from './service-client.ts'

const getThing = defineRoute({
  operationId: 'getThing',
  method: 'GET',
  path: '/things/:id',
  tag: 'things',
  summary: 'A thing',
  params: z.object({ id: z.coerce.number().int() }),
  success: { status: 200, description: 'The thing.', schema: z.object({ id: z.int(), name: z.string() }) },
  problems: ['FILE_NOT_READY'],
})
const identity = { requestId: 'request-1', bearer: 'token-1' }

let server: Server
let client: ServiceClient
let requests: IncomingMessage[]
let respond: (response: ServerResponse) => void

beforeEach(async () => {
  requests = []
  respond = (response) => response.end('{"id":1,"name":"a"}')
  server = createServer((request, response) => {
    requests.push(request)
    respond(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  client = new ServiceClient({
    service: 'thing-service',
    baseUrl: `http://127.0.0.1:${port}`,
    timeoutMs: 200,
  })
})
afterEach(async () => {
  vi.useRealTimers()
  server.closeAllConnections()
  server.close()
  await client.destroy()
})

const call = () => client.call(getThing, { params: { id: 1 } }, identity)
const answerWith = (status: number, body = '{}') => {
  respond = (response) => {
    response.statusCode = status
    response.end(body)
  }
}
const unavailable = { code: 'UNAVAILABLE', store: 'thing-service' }

async function failTimes(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await expect(call()).rejects.toMatchObject(unavailable)
}

describe('ServiceClient.call', () => {
  it('ServiceClient.call passes on the user and request id, and returns the fields of the contract', async () => {
    answerWith(200, '{"id":1,"name":"a","secret":"x"}')
    expect(await call()).toEqual({ id: 1, name: 'a' })
    expect(requests[0]).toMatchObject({
      url: '/things/1',
      headers: { 'x-request-id': 'request-1', authorization: 'Bearer token-1' },
    })
  })

  it('ServiceClient.call fails in time when the neighbor does not respond', async () => {
    respond = () => undefined
    const start = performance.now()
    await expect(call()).rejects.toMatchObject(unavailable)
    expect(performance.now() - start).toBeLessThan(1_500)
  })

  it('ServiceClient.destroy ends the calls in flight, so that the process stops at once', async () => {
    respond = () => void client.destroy()
    await expect(call()).rejects.toMatchObject({ ...unavailable, cause: { code: 'UND_ERR_DESTROYED' } })
  })

  it('ServiceClient.call fails in time when the response never ends', async () => {
    respond = (response) => void response.write('{"id":')
    const start = performance.now()
    await expect(call()).rejects.toMatchObject(unavailable)
    expect(performance.now() - start).toBeLessThan(1_500)
  })

  it('ServiceClient.call fails in time when the response arrives byte by byte', async () => {
    const timers: NodeJS.Timeout[] = []
    respond = (response) => void timers.push(setInterval(() => response.write(' '), 50))
    const start = performance.now()
    await expect(call()).rejects.toMatchObject(unavailable)
    expect(performance.now() - start).toBeLessThan(1_500)
    for (const timer of timers) clearInterval(timer)
  })

  it.each([
    ['a response that violates the contract', '{"id":"one"}'],
    ['a response that is not JSON', '<html>'],
  ])('rejects %s', async (_what, body) => {
    answerWith(200, body)
    await expect(call()).rejects.toMatchObject(unavailable)
  })

  it.each([
    [401, 'TOKEN_INVALID'],
    [404, 'NOT_FOUND'],
  ])('maps status %i to %s', async (status, code) => {
    answerWith(status)
    await expect(call()).rejects.toMatchObject({ code })
  })

  it('ServiceClient.call passes on a code of the contract with its detail, and no other code', async () => {
    answerWith(409, '{"code":"FILE_NOT_READY","detail":"Still being examined."}')
    await expect(call()).rejects.toMatchObject({ code: 'FILE_NOT_READY', detail: 'Still being examined.' })
    answerWith(409, '{"code":"FILE_IN_USE","detail":"internal"}')
    await expect(call()).rejects.toMatchObject({ code: 'NOT_FOUND', detail: undefined })
  })
})

describe('the circuit breaker', () => {
  it.each([
    ['returns 500', () => answerWith(500)],
    [
      'says nothing',
      () => {
        respond = () => undefined
      },
    ],
    [
      'breaks the connection',
      () => {
        respond = (response) => void response.destroy()
      },
    ],
  ])(
    'opens after 5 failures of a neighbor that %s: the next call is rejected without a request',
    async (_how, breakIt) => {
      breakIt()
      await failTimes(5)
      const asked = requests.length
      await failTimes(3)
      expect(requests.length).toBe(asked)
    },
  )

  it('the circuit breaker allows one trial after 5 s, and closes when it succeeds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    answerWith(500)
    await failTimes(5)
    answerWith(200, '{"id":1,"name":"a"}')
    await failTimes(1)
    vi.setSystemTime(Date.now() + 5_001)
    expect(await call()).toEqual({ id: 1, name: 'a' })
    expect(await call()).toEqual({ id: 1, name: 'a' })
  })

  it('the circuit breaker opens again when the trial fails', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    answerWith(500)
    await failTimes(5)
    vi.setSystemTime(Date.now() + 5_001)
    await failTimes(1)
    const asked = requests.length
    await failTimes(1)
    expect(requests.length).toBe(asked)
  })

  it('the circuit breaker stays closed when the neighbor rejects requests, because it works', async () => {
    answerWith(404)
    for (let index = 0; index < 10; index++) await expect(call()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(requests).toHaveLength(10)
  })
})
