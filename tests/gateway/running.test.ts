import { describe, expect, test } from 'vitest'
import { call } from './http-call.ts'
import { forwarded, notServices, unreachable } from './route-table.ts'

/**
 * Tests the route table on any running gateway. Services return the received path in `instance`, so no echo
 * server is needed. Nothing changes, because no caller is signed in and no body is valid.
 */
const url = process.env.BIGTECH_GATEWAY_URL ?? 'http://127.0.0.1:8000'

const problemOf = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>
const withoutQuery = (path = ''): string => path.split('?', 1)[0] ?? ''
/** Reaches user-service, which has no such path either. */
const known = forwarded.filter(({ path }) => !path.includes('%252e'))

describe('the running gateway', () => {
  test.each(known)('$method $path is answered by a service as $upstreamPath', async (expected) => {
    const answer = await call(url, expected.path, { method: expected.method })
    const problem = problemOf(answer.text)
    expect(answer.status).toBeLessThan(500)
    expect(problem.code).not.toBe('ROUTE_NOT_FOUND')
    const requestId = answer.headers['x-request-id']
    // The documents' API responds in an envelope, which has no room for the path.
    const said =
      problem.success === false
        ? { details: { request_id: requestId } }
        : { instance: withoutQuery(expected.upstreamPath), request_id: requestId }
    expect(problem).toMatchObject(said)
  })

  test.each(unreachable)('$method $path reaches no service', async ({ method, path, status }) => {
    const answer = await call(url, path, { method })
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(problemOf(answer.text)).toMatchObject({ code: 'ROUTE_NOT_FOUND', status })
    // A service would have seen a path without the prefix.
    expect(problemOf(answer.text).instance).toMatch(/^\/+api/i)
  })

  test.each(notServices)('%s at the root is not served by a service', async (path) => {
    const answer = await call(url, path)
    // The app, where its server gives it for every path, or a page of the gateway; else the gateway's own refusal.
    if (answer.status === 200) expect(answer.text).toMatch(/<title>BigTech Chat( API)?<\/title>/)
    else expect(problemOf(answer.text)).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' })
  })

  test('the gateway returns its limit in each response, and no page of another origin may read it', async () => {
    const answer = await call(url, '/api/rooms', { headers: { origin: 'https://evil.example' } })
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((name) =>
      Number(answer.headers[`ratelimit-${name}`]),
    )
    expect(limit).toBeGreaterThanOrEqual(100)
    expect(remaining).toBeGreaterThanOrEqual(0)
    expect(remaining).toBeLessThan(limit!)
    expect(reset).toBeGreaterThanOrEqual(0)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
  })

  test('the gateway responds to its own health check', async () => {
    const answer = await call(url, '/health')
    expect(JSON.parse(answer.text)).toEqual({ status: 'healthy', service: 'Gateway' })
  })
})
