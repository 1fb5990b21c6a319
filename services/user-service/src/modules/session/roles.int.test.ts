import { createOutbox } from '@bigtech/outbox'
import { waitFor } from '@bigtech/testkit'
import { decodeJwt } from 'jose'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { setRole } from './roles.ts'

let world: TestWorld
let users: TestService
/** Opened like in the command, outside a service. */
let mysql: Mysql

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
  mysql = createMysql(world.mysql.url, new Registry(), 2)
})
afterAll(async () => {
  await mysql.close()
  await world.close()
})

const grant = (who: string, role: 'user' | 'moderator' | 'operator') =>
  setRole(mysql, createOutbox('user-service'), who, role)

describe('a role', () => {
  it('a role appears in the profile and the access token from the next sign-in on, and in refreshed tokens', async () => {
    const { email, username, token } = await users.person()
    expect(decodeJwt(token).role).toBeUndefined()
    expect((await users.call('GET', '/profile/me', { token })).body.role).toBe('user')
    expect(await grant(username, 'moderator')).toMatchObject({ from: 'user', endedSessions: 1 })
    const { body: tokens } = await users.login(email)
    expect(decodeJwt(tokens.access_token).role).toBe('moderator')
    const refreshed = (await users.refresh(tokens.refresh_token)).body.access_token
    expect(decodeJwt(refreshed).role).toBe('moderator')
    expect((await users.call('GET', '/profile/me', { token: refreshed })).body.role).toBe('moderator')
  })

  it('revoking a role ends every session within 2 s, so that no token keeps the role', async () => {
    const { email, tokens } = await users.person()
    await grant(email, 'operator')
    const { body: held } = await users.login(email)
    await grant(email, 'user')
    await waitFor(
      async () =>
        (await users.call('GET', '/profile/me', { token: held.access_token })).body.code ===
        'SESSION_REVOKED',
      { timeoutMs: 2_000 },
    )
    for (const { refresh_token } of [held, tokens]) {
      expect((await users.refresh(refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
    }
  })

  it('granting a role that the user already has changes nothing', async () => {
    const { email, token } = await users.person()
    expect(await grant(email, 'user')).toMatchObject({ from: 'user', endedSessions: 0 })
    expect((await users.call('GET', '/profile/me', { token })).status).toBe(200)
  })

  it('a role is not granted to an unknown account', async () => {
    expect(await grant('nobody.by.this.name', 'operator')).toBeNull()
  })
})
