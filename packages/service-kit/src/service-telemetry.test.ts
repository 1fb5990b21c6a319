import { defineRoute } from '@bigtech/contracts'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { buildThingService } from '../testing/thing-service.ts'
import { baseConfig, buildService, loadConfig, port, route } from './index.ts'

const { service, sign, post, lines, carried } = await buildThingService()
afterAll(() => service.stop())

const open = defineRoute({
  operationId: 'getOpen',
  method: 'GET',
  path: '/open',
  tag: 'things',
  summary: 'Public operation',
  auth: 'public',
  success: { status: 200, description: 'It.', schema: z.object({ name: z.string() }) },
})

describe('the trace of a request without a collector', () => {
  // Over a real connection: the body's events come from the socket.
  const send = async (headers: Record<string, string> = {}) => {
    const url = await service.app.listen({ host: '127.0.0.1', port: 0 }).catch(() => {
      const { port } = service.app.server.address() as { port: number }
      return `http://127.0.0.1:${port}`
    })
    const answer = await fetch(`${url}/things/3`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ name: 'ab' }),
    })
    expect(answer.status).toBe(201)
    return carried.at(-1)?.traceparent
  }

  it("the telemetry of a service records the caller's trace, or a new one for each request", async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(await send({ traceparent })).toBe(traceparent)
    const [one, other] = [await send(), await send({ traceparent: 'nonsense' })]
    expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(other).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(other).not.toBe(one)
  })
})

it('the telemetry of a service never logs a query string', async () => {
  await service.app.inject('/health?ticket=canary-ticket')
  expect(lines.join('')).not.toContain('canary-ticket')
})

it('the telemetry of a service times every use case by operation, including failures', async () => {
  const count = async (usecase: string) => {
    const { body } = await service.app.inject('/metrics')
    const line = new RegExp(`usecase_duration_seconds_count\\{[^}]*usecase="${usecase}"[^}]*\\} (\\d+)`).exec(
      body,
    )
    return Number(line?.[1] ?? 0)
  }
  const before = await count('fail')
  await service.app.inject('/fail/unexpected')
  expect(await count('fail')).toBe(before + 1)
})

it('the telemetry of a service does not count probes and scrapes as requests', async () => {
  for (const path of ['/live', '/ready', '/health', '/metrics']) await service.app.inject(path)
  const { body } = await service.app.inject('/metrics')
  expect(body).not.toMatch(/http_requests_total\{[^}]*path="\/(live|ready|health|metrics)"/)
  expect(body).toMatch(/nodejs_heap_limit_bytes\{[^}]*\} \d{8,}/)
})

it('the telemetry of a service measures requests by route pattern', async () => {
  await post({ name: 'ab' })
  const { body } = await service.app.inject('/metrics')
  expect(body).toMatch(/http_requests_total\{[^}]*path="\/things\/:id"[^}]*service="thing-service"/)
  expect(body).not.toContain('/things/3')
})

it('the telemetry of a service counts polled requests but does not time them, because they may wait for news', async () => {
  const polled = await buildService({
    name: 'polled-service',
    title: 'Polled Service',
    description: 'Is polled.',
    acceptsUserTokens: false,
    config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
      PORT: '0',
      LOG_LEVEL: 'silent',
      KAFKA_BROKERS: 'localhost:1',
    }),
  })
  route(polled.app, { ...open, isPolled: true }, () => ({ name: 'x' }))
  await polled.app.inject('/open')
  const { body } = await polled.app.inject('/metrics')
  await polled.stop()
  expect(body).toMatch(/http_requests_total\{[^}]*path="\/open"/)
  expect(body).not.toMatch(/http_request_duration_seconds_count\{[^}]*path="\/open"/)
})

describe('the access log', () => {
  const written = async (sample: string, url: string) => {
    const own: string[] = []
    const sampled = await buildService({
      name: 'sampled-service',
      title: 'Sampled Service',
      description: 'Logs some requests.',
      acceptsUserTokens: false,
      config: loadConfig(z.object({ ...baseConfig.shape, PORT: port }), {
        PORT: '0',
        KAFKA_BROKERS: 'localhost:1',
        ACCESS_LOG_SAMPLE: sample,
      }),
      logDestination: { write: (line) => void own.push(line) },
    })
    route(sampled.app, open, () => ({ name: 'x' }))
    await sampled.app.inject({ url, headers: { 'x-request-id': 'request-0001' } })
    await sampled.stop()
    return own.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  }

  it('the access log has the same fields for every request', async () => {
    const [line] = await written('1', '/open?q=secret')
    const { trace_id: _trace, span_id: _span, ...fields } = line
    expect([fields]).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        service: 'sampled-service',
        request_id: 'request-0001',
        method: 'GET',
        path: '/open',
        status: 200,
        duration_ms: expect.any(Number),
        ip: '127.0.0.0/24',
        msg: 'request',
      },
    ])
  })

  it('the access log samples successful requests but never omits a failed one', async () => {
    expect(await written('0', '/open')).toEqual([])
    expect(await written('0', '/nowhere')).toMatchObject([{ status: 404 }])
  })
})
