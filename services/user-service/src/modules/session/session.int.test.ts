import { userLoggedIn, userSessionRevoked } from '@bigtech/contracts'
import { type EventCollector, storeRequests, waitFor } from '@bigtech/testkit'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PASSWORD, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService
/** A second process of the service. */
let twin: TestService
let events: EventCollector

beforeAll(async () => {
  world = await testWorld()
  ;[users, twin] = await Promise.all([world.build(), world.build()])
  events = await world.events()
})
afterAll(() => world.close())

/** Periodic queries of every process. */
/** Operations of periodic jobs, which may run at any moment. */
const BACKGROUND =
  /revocationsSince|presence|lastSeenFlush|releaseReserved|[pP]urge|outbox|inbox| (due|pending|old)[A-Z]/

const me = (service: TestService, token: string) => service.call('GET', '/profile/me', { token })

/** Waits until a process other than the revoking one refuses the token, at most 2 s. */
const untilRefused = (service: TestService, token: string) =>
  waitFor(async () => (await me(service, token)).body.code === 'SESSION_REVOKED')

/** Ages a session: moves all its times into the past. */
async function age(sessionId: string, seconds: number): Promise<void> {
  await world.mysql.query(
    `UPDATE sessions SET created_at = created_at - INTERVAL ? SECOND, rotated_at = rotated_at - INTERVAL ? SECOND,
       expires_at = expires_at - INTERVAL ? SECOND WHERE id = ?`,
    [seconds, seconds, seconds, sessionId],
  )
}

describe('access tokens', () => {
  it('access tokens verify with the published keys and contain the claims needed by other services', async () => {
    const { tokens, userId, username } = await users.person()
    const jwks = (await users.call('GET', '/.well-known/jwks.json')).body
    const { payload } = await jwtVerify(tokens.access_token, createLocalJWKSet(jwks), {
      issuer: 'bigtech-user-service',
      audience: 'bigtech-chat',
    })
    expect(payload).toMatchObject({ sub: String(userId), sid: tokens.session_id, username })
    expect(payload.exp! - payload.iat!).toBe(600)
    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ alg: 'EdDSA', kid: jwks.keys[0].kid })
    expect(JSON.stringify(jwks)).not.toContain('"d"')
  })

  it('a device token is not accepted as an access token', async () => {
    const { tokens } = await users.person()
    expect((await me(users, tokens.device_token!)).body.code).toBe('TOKEN_INVALID')
  })

  it('a sign-in publishes UserLoggedIn', async () => {
    const { tokens, userId } = await users.person()
    const event = await events.waitFor(userLoggedIn, ({ session_id }) => session_id === tokens.session_id)
    expect(event.user_id).toBe(userId)
  })
})

describe('refreshing', () => {
  it('a refresh returns new tokens of the same session, and both work', async () => {
    const { tokens, userId } = await users.person()
    const { status, body } = await users.refresh(tokens.refresh_token)
    expect(status).toBe(200)
    expect(body).toMatchObject({ session_id: tokens.session_id, user_id: userId, expires_in: 600 })
    expect(body.refresh_token).not.toBe(tokens.refresh_token)
    expect((await me(users, body.access_token)).status).toBe(200)
    expect((await users.refresh(body.refresh_token)).status).toBe(200)
  })

  it('20 tabs that refresh concurrently on two processes get the same successor', async () => {
    const { tokens } = await users.person()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, tab) => (tab % 2 ? users : twin).refresh(tokens.refresh_token)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1)
    expect((await users.refresh(answers[0]!.body.refresh_token)).status).toBe(200)
  })

  it.each([1, 33, 8 * 3_600])(
    'a refresh returns the same successor again %i s after a lost response',
    async (seconds) => {
      const { tokens } = await users.person()
      const lost = await users.refresh(tokens.refresh_token)
      await age(tokens.session_id, seconds)
      const again = await users.refresh(tokens.refresh_token)
      expect(again.status).toBe(200)
      expect(again.body.refresh_token).toBe(lost.body.refresh_token)
      expect((await users.refresh(again.body.refresh_token)).status).toBe(200)
    },
  )

  it('two tabs with separate copies stay signed in while they refresh alternately', async () => {
    const { tokens } = await users.person()
    let [mine, theirs] = [tokens.refresh_token, tokens.refresh_token]
    for (let turn = 0; turn < 4; turn++) {
      await age(tokens.session_id, 570)
      mine = (await users.refresh(mine)).body.refresh_token
      await age(tokens.session_id, 60)
      const { status, body } = await users.refresh(theirs)
      expect(status).toBe(200)
      theirs = body.refresh_token
    }
    expect(theirs).toBe(mine)
  })

  it('a refresh token reused after its successor was used ends the whole session explicitly', async () => {
    const { tokens, userId } = await users.person()
    const { body: second } = await users.refresh(tokens.refresh_token)
    const { body: newer } = await users.refresh(second.refresh_token)
    await age(tokens.session_id, 31)
    expect((await users.refresh(tokens.refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
    expect((await users.refresh(newer.refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
    expect((await me(users, newer.access_token)).body.code).toBe('SESSION_REVOKED')
    const event = await events.waitFor(userSessionRevoked, ({ user_id }) => user_id === userId)
    expect(event).toMatchObject({ session_ids: [tokens.session_id], reason: 'token_reuse' })
  })

  it('a refresh token older than the previous one ends the whole session immediately', async () => {
    const { tokens } = await users.person()
    const { body: second } = await users.refresh(tokens.refresh_token)
    const { body: third } = await users.refresh(second.refresh_token)
    expect((await users.refresh(tokens.refresh_token)).status).toBe(401)
    expect((await users.refresh(third.refresh_token)).status).toBe(401)
    await untilRefused(twin, third.access_token)
  })

  it('a forged refresh token for a known session id changes nothing', async () => {
    const { tokens } = await users.person()
    const forged = Buffer.from(tokens.refresh_token, 'base64url')
    forged.fill(7, 20)
    for (const text of [
      forged.toString('base64url'),
      'x',
      tokens.refresh_token.slice(1),
      `${tokens.refresh_token}A`,
    ]) {
      expect((await users.refresh(text)).body.code).toBe('REFRESH_TOKEN_INVALID')
    }
    expect((await users.refresh(tokens.refresh_token)).status).toBe(200)
  })

  it('a session in use lasts for at most 180 days', async () => {
    const { tokens } = await users.person()
    const day = 86_400
    let { refresh_token } = tokens
    for (let passed = 0; passed < 175; passed += 25) {
      await age(tokens.session_id, 25 * day)
      const { status, body } = await users.refresh(refresh_token)
      expect(status, `after ${passed + 25} days`).toBe(200)
      refresh_token = body.refresh_token
      expect(body.refresh_expires_in).toBeLessThanOrEqual(Math.min(30, 180 - passed - 25) * day)
    }
    await age(tokens.session_id, 6 * day)
    expect((await users.refresh(refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
  })

  it('a session unused for 30 days ends', async () => {
    const { tokens } = await users.person()
    await age(tokens.session_id, 30 * 86_400 + 1)
    expect((await users.refresh(tokens.refresh_token)).status).toBe(401)
  })

  it('no refresh token can be derived from stored data', async () => {
    const { tokens } = await users.person()
    const { body } = await users.refresh(tokens.refresh_token)
    const rows = await world.mysql.query('SELECT * FROM sessions WHERE id = ?', [tokens.session_id])
    const stored = JSON.stringify(rows, (_key, value) =>
      value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
    )
    const secret = Buffer.from(body.refresh_token, 'base64url').toString('latin1')
    expect(stored).not.toContain(body.refresh_token)
    expect(stored).not.toContain(JSON.stringify(secret).slice(1, -1))
  })
})

describe('ending sessions', () => {
  it.each([
    ['the process that ended it, immediately', () => users, 0],
    ['every other process, within 2 s', () => twin, 2_000],
  ] as const)(
    'ending a session takes effect in %s, and for its refresh token immediately',
    async (_who, serviceOf, withinMs) => {
      const { tokens } = await users.person()
      const service = serviceOf()
      const codeOf = async () => (await me(service, tokens.access_token)).body.code
      expect((await me(service, tokens.access_token)).status).toBe(200)
      expect((await users.call('POST', '/auth/logout', { token: tokens.access_token })).status).toBe(204)
      const endedAt = performance.now()
      expect((await service.refresh(tokens.refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
      if (withinMs === 0) return expect(await codeOf()).toBe('SESSION_REVOKED')
      await waitFor(async () => (await codeOf()) === 'SESSION_REVOKED')
      expect(performance.now() - endedAt).toBeLessThan(withinMs)
    },
  )

  it('a session is checked without a store: GET /profile/me makes exactly one query', async () => {
    const { tokens } = await users.person()
    const cost = await storeRequests(users.service.metrics, BACKGROUND, async () => {
      for (let n = 0; n < 5; n++) expect((await me(users, tokens.access_token)).status).toBe(200)
    })
    expect(cost).toEqual({ 'mysql findOwn': 5 })
  })

  it('the list of sessions has readable devices and no full IP addresses', async () => {
    const { email, token, tokens } = await users.person()
    const agent =
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
    await users.login(email, PASSWORD, { ip: '203.0.113.77', headers: { 'user-agent': agent } })
    const { body, text } = await users.call('GET', '/auth/sessions?limit=1', { token })
    expect(body.items).toMatchObject([
      { device: 'Chrome on Windows', ip_prefix: '203.0.113.0/24', current: false },
    ])
    expect(text).not.toContain('203.0.113.77')
    const next = await users.call('GET', `/auth/sessions?limit=1&cursor=${body.next_cursor}`, { token })
    expect(next.body).toMatchObject({
      items: [{ session_id: tokens.session_id, current: true }],
      next_cursor: null,
    })
  })

  it('a caller can end one of several sessions, and only their own', async () => {
    const { email, token } = await users.person()
    const other = (await users.login(email)).body
    const stranger = await users.person()
    const url = `/auth/sessions/${other.session_id}`
    expect((await users.call('DELETE', url, { token: stranger.token })).body.code).toBe('SESSION_NOT_FOUND')
    expect((await me(users, other.access_token)).status).toBe(200)
    expect((await users.call('DELETE', url, { token })).status).toBe(204)
    await untilRefused(twin, other.access_token)
    expect((await users.call('DELETE', url, { token })).body.code).toBe('SESSION_NOT_FOUND')
    expect((await me(users, token)).status).toBe(200)
  })

  it('a caller can end all other sessions, or all, and the ended sessions are published', async () => {
    const { email, token, userId, tokens } = await users.person()
    const others = [(await users.login(email)).body, (await users.login(email)).body]
    const first = await users.call('POST', '/auth/logout-all', { token, body: { except_current: true } })
    expect(first.body).toEqual({ ended: 2 })
    const event = await events.waitFor(userSessionRevoked, ({ user_id }) => user_id === userId)
    expect([...event.session_ids].sort()).toEqual(others.map(({ session_id }) => session_id).sort())
    for (const other of others) expect((await me(twin, other.access_token)).status).toBe(401)
    expect((await me(twin, token)).status).toBe(200)
    expect((await users.call('POST', '/auth/logout-all', { token })).body).toEqual({ ended: 1 })
    expect((await users.refresh(tokens.refresh_token)).status).toBe(401)
  })

  it('ending a session publishes UserSessionRevoked within 2 s', async () => {
    const { token, tokens } = await users.person()
    const startedAt = performance.now()
    await users.call('POST', '/auth/logout', { token })
    await events.waitFor(userSessionRevoked, ({ session_ids }) => session_ids.includes(tokens.session_id))
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  it('every session that ended over 30 days ago is purged', async () => {
    const { tokens } = await users.person()
    const hundred = Array.from({ length: 100 }, (_, n) => `SELECT ${n} AS n`).join(' UNION ALL ')
    await world.mysql.query(
      `INSERT INTO sessions (id, user_id, device, ip_prefix, created_at, last_seen_at, expires_at, family_key, current_hash, rotated_at)
       SELECT UUID(), user_id, 'old', ip_prefix, created_at, last_seen_at, NOW() - INTERVAL 31 DAY, family_key, current_hash, rotated_at
       FROM sessions JOIN (SELECT a.n + 100 * b.n AS seq FROM (${hundred}) a JOIN (${hundred}) b) s
       WHERE id = ? AND seq < 2500`,
      [tokens.session_id],
    )
    // A starting process purges soon.
    await world.build()
    const left = () => world.mysql.query("SELECT id FROM sessions WHERE device = 'old'")
    await waitFor(async () => (await left()).length < 2_500)
    await waitFor(async () => (await left()).length === 0)
  })

  it('an account keeps at most 100 sessions by ending the oldest', async () => {
    const { email, tokens } = await users.person()
    await world.mysql.query(
      `INSERT INTO sessions (id, user_id, device, ip_prefix, created_at, last_seen_at, expires_at, family_key, current_hash, rotated_at)
       SELECT UUID(), user_id, device, ip_prefix, created_at + INTERVAL seq SECOND, last_seen_at, expires_at, family_key, current_hash, rotated_at
       FROM sessions JOIN (${Array.from({ length: 99 }, (_, n) => `SELECT ${n + 1} AS seq`).join(' UNION ALL ')}) n
       WHERE id = ?`,
      [tokens.session_id],
    )
    await age(tokens.session_id, 60)
    const { body } = await users.login(email)
    expect((await me(users, tokens.access_token)).body.code).toBe('SESSION_REVOKED')
    expect((await me(users, body.access_token)).status).toBe(200)
  })
})
