import { once } from 'node:events'
import { connect } from 'node:net'
import { defineRoute } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { baseConfig, buildService, loadConfig, port, route, type Service } from './index.ts'

const ok = { status: 200, description: 'Done.', schema: z.object({ ok: z.boolean() }) } as const
const described = { tag: 'things', summary: 'Test operation' }
const slow = defineRoute({
  operationId: 'slow',
  method: 'GET',
  path: '/slow',
  auth: 'public',
  success: ok,
  ...described,
})
const guarded = defineRoute({
  operationId: 'guarded',
  method: 'POST',
  path: '/guarded',
  body: z.strictObject({ name: z.string() }),
  success: ok,
  ...described,
})
const busy = defineRoute({
  operationId: 'busy',
  method: 'GET',
  path: '/busy',
  auth: 'public',
  success: ok,
  ...described,
})
const stream = defineRoute({
  operationId: 'streamed',
  method: 'GET',
  path: '/streamed',
  auth: 'public',
  success: { status: 200, description: 'Frames.', contentType: 'text/event-stream' },
  ...described,
})

/** Longer than a request may wait unread in its socket. */
const BUSY_MS = 550

let service: Service
let address: string
let release: () => void
let started: number

async function start(maxRunning: number): Promise<void> {
  service = await buildService({
    name: 'small-service',
    title: 'Small Service',
    description: 'Handles few requests at a time.',
    acceptsUserTokens: false,
    config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
      PORT: '0',
      KAFKA_BROKERS: 'localhost:1',
      LOG_LEVEL: 'silent',
      MAX_RUNNING_REQUESTS: String(maxRunning),
    }),
  })
  const held = Promise.withResolvers<void>()
  release = held.resolve
  started = 0
  route(service.app, slow, async () => {
    started++
    await held.promise
    return { ok: true }
  })
  route(service.app, guarded, () => ({ ok: true }))
  route(service.app, stream, (_input, _ctx, { reply }) => reply.type('text/event-stream').send('data: x\n\n'))
  route(service.app, busy, () => {
    for (const began = performance.now(); performance.now() - began < BUSY_MS; );
    return { ok: true }
  })
  address = await service.start()
}

beforeEach(() => start(2))
afterEach(async () => {
  release()
  await service.stop()
})

async function fill(): Promise<Promise<Response>[]> {
  const running = [fetch(`${address}/slow`), fetch(`${address}/slow`)]
  await waitFor(() => started === 2)
  return running
}

describe('requests beyond the concurrency limit', () => {
  it('requests beyond the concurrency limit get 503 and Retry-After before token and body are processed', async () => {
    const running = await fill()
    const refused = await fetch(`${address}/guarded`, {
      method: 'POST',
      headers: { authorization: 'nonsense', 'content-type': 'application/json' },
      body: '{ not json',
    })
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refused.json()).toMatchObject({ code: 'OVERLOADED', request_id: expect.any(String) })
    release()
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200])
    await waitFor(async () => (await fetch(`${address}/slow`)).status === 200)
    const metrics = await (await fetch(`${address}/metrics`)).text()
    expect(metrics).toMatch(/^http_requests_refused_total\S* 1$/m)
    expect(metrics).toMatch(/^http_requests_running\S* 0$/m)
  })

  it('requests beyond the concurrency limit do not block probes and streams', async () => {
    await fill()
    for (const path of ['/live', '/health', '/metrics', '/streamed'])
      expect((await fetch(address + path)).status, path).toBe(200)
  })

  it('the concurrency limit excludes completed requests, even of a caller without a connection', async () => {
    release()
    for (let n = 0; n < 5; n++) expect((await service.app.inject('/slow')).statusCode).toBe(200)
    expect((await service.app.inject('/metrics')).body).toMatch(/^http_requests_running\S* 0$/m)
  })

  it('the concurrency limit excludes requests whose client has disconnected', async () => {
    const { hostname, port: at } = new URL(address)
    const sockets = [1, 2].map(() => {
      const socket = connect(Number(at), hostname)
      socket.write(`GET /slow HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)
      return socket
    })
    await waitFor(() => started === 2)
    expect((await fetch(`${address}/slow`)).status).toBe(503)
    for (const socket of sockets) {
      socket.destroy()
      await once(socket, 'close')
    }
    const next = fetch(`${address}/slow`)
    await waitFor(() => started === 3)
    release()
    expect((await next).status).toBe(200)
  })
})

describe('a request that waited unread while the event loop was busy', () => {
  /** Sends two requests in one segment: the second is read when the loop continues after the first. */
  async function pipelined(): Promise<(string | undefined)[]> {
    const { hostname, port: at } = new URL(address)
    const socket = connect(Number(at), hostname)
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.write(`GET /busy HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`.repeat(2))
    const statuses = () => [...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)
    await waitFor(() => statuses().length === 2)
    socket.destroy()
    return statuses()
  }

  it('a request that waited unread while the event loop was busy is rejected when others are in flight, and served at rest', async () => {
    await service.stop()
    await start(8)
    expect(await pipelined()).toEqual(['200', '200'])
    const running = fetch(`${address}/slow`)
    await waitFor(() => started === 1)
    expect(await pipelined()).toEqual(['200', '503'])
    release()
    expect((await running).status).toBe(200)
  })
})
