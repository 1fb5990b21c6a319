import { problems } from '@bigtech/contracts'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { befriend, expectStatus, http, newPerson, type Person, stack } from '../e2e/stack.ts'
import { type Nonsense, nonsense } from './nonsense.ts'
import { allOperations, endsSession, type Operation } from './operations.ts'

/** Number of requests per operation; set NONSENSE_RUNS for a longer search. */
const RUNS = Number(process.env.NONSENSE_RUNS ?? 20)

const operations = await allOperations()
let caller: Person
let ids: Record<string, string | number>

beforeAll(async () => {
  const [me, friend] = await Promise.all([newPerson(), newPerson()])
  caller = me
  const direct = await befriend(me, friend)
  const { body: room } = await expectStatus(
    201,
    http('POST', `${stack.chat}/rooms`, { token: me.token, json: { member_ids: [friend.id] } }),
  )
  const { body: message } = await expectStatus(
    201,
    http('POST', `${stack.chat}/messages/${room.room_id}`, { token: me.token, json: { content: '안녕' } }),
  )
  ids = {
    room_id: room.room_id,
    message_id: message.message_id,
    user_id: friend.id,
    session_id: me.sessionId,
    emoji: '👍',
    user_ids: `${me.id},${friend.id}`,
    q: '안녕',
    limit: 5,
    link_id: 1,
    id: direct,
    token: 'no-such-token',
  }
})

async function ask(operation: Operation, { target, body, headers }: Nonsense, token: string) {
  const leaving = new AbortController()
  const response = await fetch(stack[operation.service] + target, {
    method: operation.method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined || operation.method === 'GET' ? {} : { body }),
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(10_000)]),
  })
  const type = response.headers.get('content-type') ?? ''
  const isStream = type.startsWith('text/event-stream')
  const text = isStream ? '' : await response.text()
  leaving.abort()
  return { status: response.status, type, text }
}

function expectGoodAnswer({ status, type, text }: Awaited<ReturnType<typeof ask>>): void {
  expect(status, text).toBeLessThan(500)
  // An invalid header rejected by the HTTP parser never reaches the service.
  if (status < 400) return
  expect(type, `${status} ${text}`).toContain('application/problem+json')
  const problem = JSON.parse(text)
  expect(problem).toMatchObject({ status, code: expect.any(String), request_id: expect.any(String) })
  expect(problems).toHaveProperty(problem.code)
  expect(text).not.toMatch(/node_modules|at .*\.ts:\d|SELECT |Prisma|Mongo/)
}

describe('nonsense is rejected with a problem and never a 5xx', () => {
  it.each(operations.map((operation) => [operation.operationId, operation] as const))(
    '%s',
    async (_operationId, operation) => {
      const { token } = endsSession(operation) ? await newPerson() : caller
      await fc.assert(
        fc.asyncProperty(nonsense(operation, ids), async (request) =>
          expectGoodAnswer(await ask(operation, request, token)),
        ),
        { numRuns: RUNS, interruptAfterTimeLimit: 40_000 },
      )
    },
  )

  it.each(['user', 'friend', 'chat', 'notification', 'analytics'] as const)(
    '%s-service rejects nonsense at unknown paths and methods with a problem',
    async (service) => {
      const paths = [
        '/',
        '//',
        '/%00',
        '/%',
        '/..%2f..',
        '/rooms/%2e%2e/health',
        '/__proto__',
        `/${'a'.repeat(5_000)}`,
      ]
      for (const path of paths) {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
          const response = await fetch(stack[service] + path, { method })
          const answer = {
            status: response.status,
            type: response.headers.get('content-type') ?? '',
            text: await response.text(),
          }
          expectGoodAnswer(answer)
        }
      }
    },
  )
})
