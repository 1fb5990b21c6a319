import { uniqueName, waitFor } from '@bigtech/testkit'
import { describe, expect, it } from 'vitest'
import { http, newPerson, password, stack } from './stack.ts'

/** No response may contain a password hash. */
const bcryptHash = /\$2[aby]\$\d\d\$/

describe.each([
  ['directly', stack.user],
  ['through the gateway', `${stack.gateway}/api`],
])('the quick start, %s', (_way, base) => {
  it('register and login respond as documented in the quick start', async () => {
    const username = uniqueName('q')
    const registered = await http('POST', `${base}/auth/register`, {
      json: { email: `${username}@example.com`, username, password, display_name: '테스트 유저' },
    })
    expect(registered.status).toBe(201)
    expect(registered.body).toMatchObject({
      id: expect.any(Number),
      email: `${username}@example.com`,
      username,
      display_name: '테스트 유저',
    })
    expect(registered.text).not.toMatch(bcryptHash)
    expect(registered.text).not.toContain('password')

    const login = await http('POST', `${base}/auth/login/json`, {
      json: { email: `${username}@example.com`, password },
    })
    expect(login.status).toBe(200)
    expect(login.body).toMatchObject({ access_token: expect.any(String), token_type: 'bearer' })
    expect(login.text).not.toMatch(bcryptHash)

    const form = await http('POST', `${base}/auth/login`, { form: { username, password } })
    expect(form.status).toBe(200)
    expect(form.body.token_type).toBe('bearer')

    const me = await http('GET', `${base}/profile/me`, { token: login.body.access_token })
    expect(me.body).toMatchObject({ username, display_name: '테스트 유저' })
    expect(me.text).not.toMatch(bcryptHash)
  })

  it('a taken email or username gets 400, a password of 73 bytes gets 422', async () => {
    const taken = await newPerson()
    const register = (change: object) =>
      http('POST', `${base}/auth/register`, {
        json: { email: `${uniqueName()}@example.com`, username: uniqueName('u'), password, ...change },
      })
    const sameEmail = await register({ email: taken.email.toUpperCase() })
    expect([sameEmail.status, sameEmail.body.code]).toEqual([400, 'EMAIL_TAKEN'])
    const sameName = await register({ username: taken.username.toUpperCase() })
    expect([sameName.status, sameName.body.code]).toEqual([400, 'USERNAME_TAKEN'])
    const tooLong = await register({ password: 'a'.repeat(73) })
    expect([tooLong.status, tooLong.body.errors[0].field]).toEqual([422, 'password'])
  })
})

describe('the services', () => {
  it.each([
    ['user', 'User Service'],
    ['friend', 'Friend Service'],
    ['chat', 'Chat Service'],
  ] as const)('%s-service reports its health in exactly the documented form', async (name, title) => {
    const answer = await http('GET', `${stack[name]}/health`)
    expect(answer.text).toBe(`{"status":"healthy","service":"${title}"}`)
    expect((await http('GET', `${stack[name]}/docs`)).status).toBe(200)
    expect((await http('GET', `${stack[name]}/openapi.json`)).body.openapi).toMatch(/^3\.1/)
  })

  it('a new user gets a welcome mail', async () => {
    const person = await newPerson('환영해요')
    const mail = await waitFor(
      async () => {
        const { body } = await http(
          'GET',
          `${stack.mailbox}/api/mails?to=${encodeURIComponent(person.email)}`,
        )
        return (body.items ?? body)[0]
      },
      { what: 'the welcome mail' },
    )
    expect(JSON.stringify(mail)).toContain(person.email)
  })

  it.each(['/metrics', '/internal/anything', '/live', '/ready', '/docs', '/openapi.json'])(
    '%s of the services is unreachable through the gateway',
    async (path) => {
      // /api/docs and /api/openapi.json belong to the gateway.
      const above = ['/docs', '/openapi.json'].includes(path)
        ? []
        : ['/api', '/api/auth/..', '/api/users/%2e%2e']
      for (const prefix of ['', '/api/users', ...above]) {
        const answer = await http('GET', `${stack.gateway}${prefix}${path}`)
        expect(answer.text).not.toContain('http_requests_total')
        if (prefix) expect(answer.status).toBeGreaterThanOrEqual(400)
      }
    },
  )
})
