import { messageExample, userModerated, userSessionRevoked } from '@bigtech/contracts'
import { createOutbox } from '@bigtech/outbox'
import { type EventCollector, startHttpServer, type TestHttpServer, waitFor } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Person, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'
import { createMysql } from '../../infrastructure/mysql.ts'
import { setRole } from '../session/roles.ts'

let world: TestWorld
let users: TestService
/** A second process of the service. */
let twin: TestService
let events: EventCollector
let chat: TestHttpServer
let moderator: Person
let target: Person
let reporter: Person

const room = 7
const around = [41, 42, 43, 44].map((seq) => ({
  ...messageExample,
  room_id: room,
  seq,
  message_id: `${room}:${String(seq).padStart(12, '0')}`,
  content: `line ${seq}`,
  is_deleted: seq === 43,
  system: seq === 44 ? { kind: 'member_left', payload: {} } : null,
}))

/** Fakes chat-service: the room's history for its member only. */
function startChat(member: () => Person): Promise<TestHttpServer> {
  return startHttpServer((request, response) => {
    const isMember = request.headers.authorization === `Bearer ${member().token}`
    const items = around.map((message) => ({ ...message, user_id: target.userId }))
    const body = isMember
      ? { items, next_cursor: null, last_seq: 44, last_cseq: 0 }
      : { code: 'NOT_A_MEMBER', detail: 'no' }
    response.writeHead(isMember ? 200 : 403, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}

async function newModerator(role: 'moderator' | 'operator' = 'moderator'): Promise<Person> {
  const person = await users.person()
  const mysql = createMysql(world.mysql.url, new Registry(), 2)
  await setRole(mysql, createOutbox('user-service'), person.email, role)
  await mysql.close()
  const { body: tokens } = await users.login(person.email)
  return { ...person, token: tokens.access_token, tokens }
}

beforeAll(async () => {
  world = await testWorld()
  chat = await startChat(() => reporter)
  const env = { CHAT_SERVICE_URL: chat.url }
  ;[users, twin] = await Promise.all([world.build(env), world.build(env)])
  events = await world.events()
  moderator = await newModerator()
})
beforeEach(async () => {
  ;[target, reporter] = await Promise.all([users.person(), users.person()])
})
afterAll(async () => {
  await world.close()
  await chat.close()
})

const report = (by: Person, body: object) =>
  users.call('POST', '/moderation/reports', { token: by.token, body: { reason: 'harassment', ...body } })
const decide = (reportId: number, body: object, by = moderator) =>
  users.call('POST', `/moderation/reports/${reportId}/decisions`, { token: by.token, body })
const reportedBy = async (by: Person, about: Person): Promise<number> =>
  (await report(by, { user_id: about.userId })).body.report_id

describe('a report', () => {
  it('a report of a message copies the message with its context, without deleted messages and system messages', async () => {
    const answer = await report(reporter, { message_id: `${room}:000000000042`, comment: 'bad' })
    expect(answer.status).toBe(201)
    const { body } = await users.call('GET', `/moderation/reports/${answer.body.report_id}`, {
      token: moderator.token,
    })
    expect(body).toMatchObject({
      kind: 'message',
      state: 'open',
      room_id: room,
      comment: 'bad',
      target: { user_id: target.userId },
      reporter: { user_id: reporter.userId },
    })
    expect(
      body.context.map((each: { content: string; reported: boolean }) => [each.content, each.reported]),
    ).toEqual([
      ['line 41', false],
      ['line 42', true],
    ])
  })

  it('a report copies nothing invisible to its reporter', async () => {
    const stranger = await users.person()
    const { status, body } = await report(stranger, { message_id: `${room}:000000000042` })
    expect([status, body.code]).toEqual([403, 'NOT_A_MEMBER'])
    expect((await report(reporter, { message_id: `${room}:000000000043` })).body.code).toBe(
      'MESSAGE_NOT_FOUND',
    )
  })

  it('a report is stored once while open, and can be repeated after it was decided', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => reportedBy(reporter, target)))
    expect(new Set(ids).size).toBe(1)
    await decide(ids[0]!, { action: 'dismiss' })
    expect(await reportedBy(reporter, target)).not.toBe(ids[0])
  })

  it('a report about oneself, about an unknown user, or of both kinds at once is rejected', async () => {
    expect((await report(reporter, { user_id: reporter.userId })).body.code).toBe('REPORT_SELF')
    expect((await report(reporter, { user_id: 99_999_999 })).body.code).toBe('USER_NOT_FOUND')
    expect((await report(reporter, {})).status).toBe(422)
    const both = { user_id: target.userId, message_id: `${room}:000000000042` }
    expect((await report(reporter, both)).body.errors[0].field).toBe('user_id')
  })
})

describe('the queue', () => {
  it('the moderation queue lists open reports oldest first, page by page, filtered by state', async () => {
    const others = await Promise.all(Array.from({ length: 3 }, () => users.person()))
    const ids: number[] = []
    for (const other of others) ids.push(await reportedBy(other, target))
    const all = async (state: string): Promise<number[]> => {
      const found: number[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const more: string = cursor ? `&cursor=${cursor}` : ''
        const url = `/moderation/reports?state=${state}&limit=2${more}`
        const { body } = await users.call('GET', url, { token: moderator.token })
        found.push(...body.items.map((item: { report_id: number }) => item.report_id))
        cursor = body.next_cursor
      }
      return found
    }
    const mine = async (state: string) => (await all(state)).filter((id) => ids.includes(id))
    expect(await mine('open')).toEqual(ids)
    for (const id of [ids[2]!, ids[0]!]) expect((await decide(id, { action: 'dismiss' })).status).toBe(201)
    expect(await mine('open')).toEqual([ids[1]])
    expect(await mine('closed')).toEqual([ids[2], ids[0]])
  })

  it('one of two concurrent moderators decides a report', async () => {
    const id = await reportedBy(reporter, target)
    const other = await newModerator()
    const answers = await Promise.all([decide(id, { action: 'warn' }), decide(id, { action: 'mute' }, other)])
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
    const log = await users.call('GET', `/moderation/decisions?user_id=${target.userId}`, {
      token: moderator.token,
    })
    expect(log.body.items).toHaveLength(1)
  })

  it('moderators cannot decide about themselves or their peers', async () => {
    const peer = await newModerator()
    expect((await decide(await reportedBy(reporter, moderator), { action: 'warn' })).body.code).toBe(
      'MODERATION_REFUSED',
    )
    const about = await reportedBy(reporter, peer)
    expect((await decide(about, { action: 'suspend' })).body.code).toBe('MODERATION_REFUSED')
    const operator = await newModerator('operator')
    expect((await decide(about, { action: 'warn' }, operator)).status).toBe(201)
  })
})

describe('a suspension', () => {
  it('a suspension ends every session on every process within 2 s, is published, and is disclosed only at sign-in', async () => {
    const id = await reportedBy(reporter, target)
    const since = new Date(Date.now() - 10_000).toISOString()
    const { body: decision } = await decide(id, { action: 'suspend', hours: 2, message: 'Insults.' })
    const revoked = await events.waitFor(userSessionRevoked, ({ user_id }) => user_id === target.userId)
    expect(revoked.session_ids).toEqual([target.tokens.session_id])
    for (const process of [users, twin]) {
      await waitFor(
        async () =>
          (await process.call('GET', '/profile/me', { token: target.token })).body.code === 'SESSION_REVOKED',
        { timeoutMs: 2_000 },
      )
    }
    const { body: list } = await users.call('GET', `/.well-known/revocations.json?since=${since}`)
    expect(list.items.map((item: { session_id: string }) => item.session_id)).toContain(
      target.tokens.session_id,
    )
    expect((await users.refresh(target.tokens.refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
    const refused = await users.login(target.email)
    expect([refused.status, refused.body.code]).toEqual([403, 'ACCOUNT_SUSPENDED'])
    expect(refused.body.detail).toBe(`The account is suspended until ${decision.until}. Insults.`)
    expect((await users.login(target.email, 'Wrong1234!@')).body.code).toBe('CREDENTIALS_INVALID')
    const event = await events.waitFor(userModerated, ({ user_id }) => user_id === target.userId)
    expect(event).toMatchObject({ suspended_until: decision.until, muted_until: null })
  })

  it('a suspension ends when it expires or is lifted', async () => {
    const id = await reportedBy(reporter, target)
    await decide(id, { action: 'suspend' })
    expect((await users.login(target.email)).body.detail).toContain('until further notice')
    await world.mysql.query(
      'UPDATE user_restrictions SET suspended_until = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND WHERE user_id = ?',
      [target.userId],
    )
    expect((await users.login(target.email)).status).toBe(200)
    const again = await reportedBy(reporter, target)
    await decide(again, { action: 'suspend' })
    expect((await users.login(target.email)).status).toBe(403)
    expect((await decide(again, { action: 'lift', message: 'A mistake.' })).status).toBe(201)
    expect((await users.login(target.email)).status).toBe(200)
  })

  it('a suspension ends the session of a sign-in in flight', async () => {
    const id = await reportedBy(reporter, target)
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 6 }, () => users.login(target.email))),
      decide(id, { action: 'suspend' }),
    ])
    const granted = answers.filter(({ status }) => status === 200)
    expect(answers.every(({ status }) => status === 200 || status === 403)).toBe(true)
    for (const { body } of granted) {
      expect((await users.refresh(body.refresh_token)).body.code).toBe('REFRESH_TOKEN_INVALID')
    }
  })
})

describe('a notice', () => {
  it('a moderation notice shows the decision but not the moderator, and can be acknowledged only by its user', async () => {
    await decide(await reportedBy(reporter, target), { action: 'warn', message: 'Be kind.', note: 'secret' })
    await decide(await reportedBy(reporter, target), { action: 'dismiss', note: 'nothing' })
    const notices = async () =>
      (await users.call('GET', '/moderation/notices', { token: target.token })).body.items
    const [notice, ...rest] = await notices()
    expect(rest).toEqual([])
    expect(notice).toMatchObject({ action: 'warn', message: 'Be kind.', acknowledged_at: null })
    expect(Object.keys(notice).sort()).toEqual(
      ['acknowledged_at', 'action', 'created_at', 'message', 'notice_id', 'until'].sort(),
    )
    const url = `/moderation/notices/${notice.notice_id}/acknowledged`
    expect((await users.call('PUT', url, { token: reporter.token })).body.code).toBe('NOTICE_NOT_FOUND')
    expect((await users.call('PUT', url, { token: target.token })).status).toBe(204)
    expect((await notices())[0].acknowledged_at).not.toBeNull()
  })
})

it('erasing an account erases reports about it and keeps decisions as ids', async () => {
  const id = await reportedBy(reporter, target)
  await decide(id, { action: 'warn', message: 'Be kind.', note: 'He wrote …' })
  await users.call('DELETE', '/profile/me', { token: target.token, body: { password: 'Test1234!@' } })
  await waitFor(
    async () =>
      (await users.call('GET', `/moderation/reports/${id}`, { token: moderator.token })).body.code ===
      'REPORT_NOT_FOUND',
  )
  const log = await users.call('GET', `/moderation/decisions?user_id=${target.userId}`, {
    token: moderator.token,
  })
  expect(log.body.items).toMatchObject([{ action: 'warn', message: null, note: null }])
})
