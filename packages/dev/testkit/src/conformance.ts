import { problems } from '@bigtech/contracts'
import type { Service } from '@bigtech/service-kit'
import { describe, expect, it } from 'vitest'
import { waitFor } from './wait-for.ts'

interface Operation {
  readonly path: string
  readonly method: string
  readonly security: readonly unknown[]
  readonly hasBody: boolean
  readonly document: Record<string, unknown>
}

/** Metrics whose label values are known only when they are used. No alert needs their first increment. */
const startsEmpty = new Set([
  'http_requests_total',
  'http_request_duration_seconds',
  'usecase_duration_seconds',
  'store_request_duration_seconds',
  'rate_limited_total',
  // A process without a consumer group dead-letters nothing.
  'kafka_dead_letters_total',
])

/**
 * Tests common to all deployables: call it inside a test file with a getter of the built service, whose
 * stores are up.
 */
export function describeConformance(options: { title: string; service: () => Service }): void {
  const { title, service } = options
  const get = (url: string, headers: Record<string, string> = {}) => service().app.inject({ url, headers })

  describe('conformance', () => {
    it("/health returns the service's name", async () => {
      const response = await get('/health')
      expect(response.statusCode).toBe(200)
      expect(response.body).toBe(`{"status":"healthy","service":"${title}"}`)
    })

    it('liveness checks no store, and readiness requires every needed store', async () => {
      expect((await get('/live')).json()).toEqual({ status: 'live' })
      // A newly started process loads the revoked sessions first.
      const ready = await waitFor(async () => {
        const response = await get('/ready')
        return response.statusCode === 200 && response
      })
      expect(ready.json()).toMatchObject({ status: 'ready' })
    })

    it("metrics contain the service's name", async () => {
      const { body } = await get('/metrics')
      expect(body).toContain(`service="${service().log.bindings().service}"`)
      expect(body).toContain('http_requests_total')
    })

    it('every counter and histogram has a series from the start', async () => {
      const { body } = await get('/metrics')
      const kinds = body.matchAll(/^# TYPE (\w+) (?:counter|histogram)$/gm)
      const empty = [...kinds]
        .map(([, name]) => name as string)
        .filter((name) => !/^(nodejs|process)_/.test(name) && !startsEmpty.has(name))
        .filter((name) => !new RegExp(`^${name}(_count)?(\\{| )`, 'm').test(body))
      expect(empty).toEqual([])
    })

    it('serves its API page and an OpenAPI document with an example for every operation', async () => {
      expect((await get('/docs')).statusCode).toBe(200)
      for (const operation of await operations(service())) {
        const { operationId, summary } = operation.document
        expect(operationId, `${operation.method} ${operation.path}`).toBeTruthy()
        expect(summary).toBeTruthy()
        if (saysNothing(operation)) continue
        expect(JSON.stringify(operation.document), `${operationId} has an example`).toMatch(/"examples?":/)
      }
    })

    it('responds to unknown paths with a problem and echoes the request id', async () => {
      const response = await get('/no/such/path', { 'x-request-id': 'conformance-1234' })
      expect(response.statusCode).toBe(404)
      expect(response.headers['content-type']).toContain('application/problem+json')
      expect(response.json()).toMatchObject({ code: 'ROUTE_NOT_FOUND', request_id: 'conformance-1234' })
      expect(response.headers['x-request-id']).toBe('conformance-1234')
    })

    it('returns 401 to an anonymous caller on every operation that is not public', async () => {
      const secured = (await operations(service())).filter(({ security }) => security.length > 0)
      for (const { path, method } of secured) {
        const response = await service().app.inject({
          method: method.toUpperCase() as 'GET',
          url: path.replace(/\{\w+\}/g, '1'),
        })
        expect(response.statusCode, `${method} ${path}`).toBe(401)
        expect(response.headers['www-authenticate']).toBe('Bearer')
      }
    })

    it('documents only registered error codes', async () => {
      for (const { document } of await operations(service())) {
        const codes = JSON.stringify(document.responses).matchAll(/`([A-Z_]{4,})`/g)
        for (const [, code] of codes) expect(problems).toHaveProperty(code!)
      }
    })
  })
}

/** Returns whether an operation has neither input nor output, and so needs no example. */
function saysNothing({ document, hasBody }: Operation): boolean {
  const responses = Object.entries(document.responses as Record<string, { content?: unknown }>)
  const hasResponseBody = responses.some(
    ([status, { content }]) => status.startsWith('2') && content !== undefined,
  )
  return !hasBody && !document.parameters && !hasResponseBody
}

async function operations(service: Service): Promise<Operation[]> {
  const document = (await service.app.inject('/openapi.json')).json() as {
    paths: Record<string, Record<string, Record<string, unknown>>>
  }
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      security: (operation.security as unknown[]) ?? [],
      hasBody: 'requestBody' in operation,
      document: operation,
    })),
  )
}
