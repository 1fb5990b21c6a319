import type { JWTPayload } from 'jose'
import { afterAll, describe, expect, it } from 'vitest'
import { buildThingService } from '../testing/thing-service.ts'

const { service, sign, post } = await buildThingService()
afterAll(() => service.stop())

describe('an operation that requires a role', () => {
  it.each([
    [undefined, 403],
    ['user', 403],
    ['Moderator', 403],
    ['moderator', 200],
    ['operator', 200],
  ])(
    'an operation that requires a role responds to a token with the role %s with status %i',
    async (role, status) => {
      const answer = await service.app.inject({
        method: 'POST',
        url: '/moderated',
        headers: { authorization: `Bearer ${await sign(role === undefined ? {} : { role })}` },
        payload: { name: 'ab' },
      })
      expect(answer.statusCode).toBe(status)
      if (status === 403)
        expect(answer.json()).toMatchObject({
          code: 'ACCOUNT_ROLE_REQUIRED',
          detail: 'Requires the moderator role.',
        })
    },
  )

  it('an operation checks the role before it reads the body', async () => {
    const headers = { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' }
    const answer = await service.app.inject({ method: 'POST', url: '/moderated', headers, payload: '{' })
    expect(answer.json().code).toBe('ACCOUNT_ROLE_REQUIRED')
  })
})

it.each([
  ['no token', undefined, 'NOT_AUTHENTICATED'],
  ['another scheme', 'Basic abc', 'TOKEN_INVALID'],
  ['rubbish', 'Bearer abc', 'TOKEN_INVALID'],
  ['an unsigned token', `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"sub":"7"}')}.`, 'TOKEN_INVALID'],
])('an operation returns 401 to %s before it reads the body', async (_case, authorization, code) => {
  const answer = await service.app.inject({
    method: 'POST',
    url: '/things/x',
    headers: authorization ? { authorization } : {},
  })
  expect(answer.statusCode).toBe(401)
  expect(answer.json().code).toBe(code)
})

it.each([
  ['without a session', { sid: undefined }],
  ['with another critical header claim type', { sid: 7 }],
])('an operation returns 401 to a token %s', async (_case, claims) => {
  const answer = await post({ name: 'ab' }, { authorization: `Bearer ${await sign(claims as JWTPayload)}` })
  expect(answer.statusCode).toBe(401)
})

it('an operation that requires a role rejects a verified token as soon as its session is revoked', async () => {
  const headers = { authorization: `Bearer ${await sign({ sid: 'gone' })}` }
  expect((await post({ name: 'ab' }, headers)).statusCode).toBe(201)
  service.revocations.add(['gone'])
  const answer = await post({ name: 'ab' }, headers)
  expect(answer.json()).toMatchObject({ status: 401, code: 'SESSION_REVOKED' })
})
