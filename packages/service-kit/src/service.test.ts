import { afterAll, expect, it } from 'vitest'
import { buildThingService } from '../testing/thing-service.ts'

const { service, post, lines } = await buildThingService()
afterAll(() => service.stop())

it('a service forbids caching of responses and problems', async () => {
  const answers = [
    await post({ name: 'ab' }),
    await post({ name: 'a' }),
    await service.app.inject('/things/%'),
    await service.app.inject('/nowhere'),
    await service.app.inject('/fail/known'),
  ]
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 422, 400, 404, 400])
  for (const { headers } of answers) expect(headers['cache-control']).toBe('no-store')
})

it('a service returns only the fields of the contract', async () => {
  const answer = await post({ name: ' ab ' })
  expect(answer.statusCode).toBe(201)
  expect(answer.json()).toEqual({ id: 3, name: 'ab of 7' })
})

it('a service returns 503 with Retry-After and without the cause while a store is unavailable', async () => {
  const answer = await service.app.inject('/fail/outage')
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('2')
  expect(answer.json()).toMatchObject({ code: 'UNAVAILABLE', status: 503 })
  expect(answer.body).not.toMatch(/mysql|ECONNREFUSED/)
})

it('a service returns no detail of an unexpected error, and logs it', async () => {
  const answer = await service.app.inject('/fail/unknown')
  expect(answer.statusCode).toBe(500)
  expect(answer.body).not.toContain('hunter2')
  expect(lines.some((line) => line.includes('hunter2') && line.includes(answer.json().request_id))).toBe(true)
})

it('a service returns the status and code of an expected problem', async () => {
  const answer = await service.app.inject('/fail/known')
  expect(answer.json()).toMatchObject({ status: 400, code: 'EMAIL_TAKEN', instance: '/fail/known' })
})

it('a HEAD request returns the headers of GET without a body', async () => {
  const answer = await service.app.inject({ method: 'HEAD', url: '/health' })
  expect(answer.statusCode).toBe(200)
  expect(answer.body).toBe('')
  const unknown = await service.app.inject({ method: 'HEAD', url: '/nothing' })
  expect(unknown.statusCode).toBe(404)
})

it('a service ignores a trailing slash of a path', async () => {
  expect((await service.app.inject('/health/')).json()).toMatchObject({ status: 'healthy' })
  expect((await service.app.inject('/fail/known/')).json().code).toBe('EMAIL_TAKEN')
})

it('a service returns 500 instead of sending a response that violates the contract', async () => {
  const answer = await service.app.inject('/fail/result')
  expect(answer.json()).toMatchObject({ status: 500, code: 'INTERNAL' })
  expect(answer.body).not.toContain('not a number')
})

it('a service distinguishes a wrong method from a wrong path', async () => {
  const wrongMethod = await service.app.inject({ method: 'PUT', url: '/things/3' })
  expect(wrongMethod.statusCode).toBe(405)
  expect(wrongMethod.headers.allow).toBe('POST')
  expect((await service.app.inject('/nothing')).json().code).toBe('ROUTE_NOT_FOUND')
})

it.each(['%zz', '%ff%fe', 'x'.repeat(200)])(
  'responds to a path that the router rejects with a problem: %s',
  async (part) => {
    const answer = await service.app.inject({
      url: `/fail/${part}?ticket=s`,
      headers: { 'x-request-id': 'r-1234567' },
    })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['x-request-id']).toBe('r-1234567')
    expect(answer.json()).toMatchObject({ code: 'BAD_REQUEST', status: 400, request_id: 'r-1234567' })
    expect(answer.body).not.toContain('ticket')
  },
)

it('a service echoes a loggable request id, and replaces any other', async () => {
  const good = await service.app.inject({ url: '/health', headers: { 'x-request-id': 'abc-12345678' } })
  expect(good.headers['x-request-id']).toBe('abc-12345678')
  const bad = await service.app.inject({ url: '/health', headers: { 'x-request-id': 'a'.repeat(300) } })
  expect(bad.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
})

it('a service ends a request that is incomplete after 30 s', () => {
  expect(service.app.server.requestTimeout).toBe(30_000)
  expect(service.app.server.headersTimeout).toBeLessThan(30_000)
})

it('the type of a problem links to its entry on the errors page', async () => {
  const problem = (await service.app.inject('/nothing')).json()
  const { pathname, hash } = new URL(problem.type, 'http://service')
  const page = await service.app.inject(pathname)
  expect(page.headers['content-type']).toMatch('text/html')
  expect(page.body).toContain(`id="${hash.slice(1)}"`)
  expect(hash).toBe(`#${problem.code}`)
})

it('a service documents every contract, including its problems', async () => {
  const document = (await service.app.inject('/openapi.json')).json()
  const operation = document.paths['/things/{id}'].post
  expect(operation.operationId).toBe('createThing')
  expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['201', '401', '422']))
  expect(operation.requestBody.content['application/json'].schema.properties.name.minLength).toBe(2)
  expect((await service.app.inject('/docs')).statusCode).toBe(200)
})
