import {
  analyticsDataErased,
  chatDataErased,
  friendDataErased,
  friendRequestAccepted,
  mediaDataErased,
  notificationDataErased,
  userBlocked,
  userDeleted,
  userRestricted,
  userSessionRevoked,
} from '@bigtech/contracts'
import { type EventCollector, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService
let events: EventCollector

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
  events = await world.events()
})
afterAll(() => world.close())

const remove = (person: Person, body: Record<string, unknown> = {}, service = users) =>
  service.call('DELETE', '/profile/me', { token: person.token, body: { password: PASSWORD, ...body } })
const status = async (id: string) => (await users.call('GET', `/auth/deletions/${id}`)).body
const stepsOf = ({ steps }: { steps: { step: string; state: string }[] }) =>
  Object.fromEntries(steps.map(({ step, state }) => [step, state]))

const confirmations = [
  friendDataErased,
  chatDataErased,
  notificationDataErased,
  analyticsDataErased,
  mediaDataErased,
]
const confirming = [
  'friend-service',
  'chat-service',
  'notification-service',
  'analytics-service',
  'media-service',
]

describe('deleting an account', () => {
  it('deleting an account requires the password and changes nothing without it', async () => {
    const person = await users.person()
    expect((await remove(person, { password: 'Wrong1234!' })).body.code).toBe('PASSWORD_WRONG')
    expect((await users.call('DELETE', '/profile/me', { token: person.token, body: {} })).status).toBe(422)
    expect((await users.call('GET', '/profile/me', { token: person.token })).status).toBe(200)
  })

  it('deleting an account reserves the username for 90 days without storing it', async () => {
    const person = await users.person()
    const { deletion_id } = (await remove(person)).body
    await waitFor(async () => stepsOf(await status(deletion_id)).profile === 'done')
    const again = () => users.register({ username: person.username })
    expect((await again()).body.code).toBe('USERNAME_TAKEN')
    const [row] = await world.mysql.query<Record<string, unknown>>('SELECT * FROM users WHERE id = ?', [
      person.userId,
    ])
    expect(JSON.stringify(row)).not.toContain(person.username)
    const requested = 'UPDATE account_deletions SET requested_at = NOW() - INTERVAL 91 DAY WHERE user_id = ?'
    await world.mysql.query(requested, [person.userId])
    // A starting process checks soon.
    await world.build()
    await waitFor(async () => (await again()).status === 201, { intervalMs: 200 })
  })

  it('deleting an account ends every session immediately and hides the user from search and profiles', async () => {
    const [person, viewer] = [await users.person(), await users.person()]
    const other = (await users.login(person.email)).body
    const answer = await remove(person)
    expect(answer.status).toBe(202)
    expect(stepsOf(answer.body)).toMatchObject({ sessions: 'done', 'chat-service': 'pending' })
    for (const token of [person.token, other.access_token]) {
      expect((await users.call('GET', '/profile/me', { token })).body.code).toBe('SESSION_REVOKED')
    }
    expect((await users.refresh(other.refresh_token)).status).toBe(401)
    expect((await users.login(person.email)).body.code).toBe('CREDENTIALS_INVALID')
    expect((await users.call('GET', `/users/${person.userId}`, { token: viewer.token })).status).toBe(404)
    const found = await users.call('GET', `/users/search?q=${person.username}`, { token: viewer.token })
    expect(found.body.items).toEqual([])
    const revoked = await events.waitFor(userSessionRevoked, ({ user_id }) => user_id === person.userId)
    expect(revoked).toMatchObject({ reason: 'account_deleted' })
  })

  it('deleting an account notifies every service, completes after all confirmations, and reports its progress', async () => {
    const person = await users.person()
    const { deletion_id } = (await remove(person, { message_policy: 'remove' })).body
    const event = await events.waitFor(userDeleted, ({ user_id }) => user_id === person.userId)
    expect(event).toMatchObject({ deletion_id, message_policy: 'remove' })
    await waitFor(async () => stepsOf(await status(deletion_id)).profile === 'done')
    for (const [index, confirmation] of confirmations.entries()) {
      expect((await status(deletion_id)).state).toBe('running')
      const eventId = crypto.randomUUID()
      // Delivered twice, as Kafka may do.
      for (let n = 0; n < 2; n++)
        await world.publish(confirmation, { user_id: person.userId, deletion_id }, { eventId })
      const service = confirming[index]!
      await waitFor(async () => stepsOf(await status(deletion_id))[service] === 'done')
    }
    const done = await status(deletion_id)
    expect(done.state).toBe('completed')
    expect(done.completed_at).not.toBeNull()
  })

  it('deleting an account leaves no personal data behind and releases the address', async () => {
    const person = await users.person({ display_name: '김민지삭제' })
    const friend = await users.person()
    const pair = { request_id: 1, from_user_id: person.userId, to_user_id: friend.userId }
    await world.publish(friendRequestAccepted, pair)
    await world.publish(userRestricted, { restricter_id: friend.userId, restricted_id: person.userId })
    await world.publish(userBlocked, { blocker_id: person.userId, blocked_id: friend.userId })
    await waitFor(
      async () =>
        (await world.mysql.query('SELECT 1 FROM blocks WHERE blocker_id = ?', [person.userId])).length,
    )
    const identity = ['google', person.username, person.userId]
    await world.mysql.query('INSERT INTO user_identities VALUES (?, ?, ?, NOW(3))', identity)
    const { deletion_id } = (await remove(person)).body
    await waitFor(async () => stepsOf(await status(deletion_id)).profile === 'done')
    const tables = await world.mysql.query<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
    )
    for (const { name } of tables) {
      const rows = JSON.stringify(await world.mysql.query(`SELECT * FROM \`${name}\``))
      expect(rows, name).not.toContain(person.email)
      expect(rows, name).not.toContain(person.username)
      expect(rows, name).not.toContain('김민지삭제')
    }
    expect(await world.mysql.query('SELECT 1 FROM sessions WHERE user_id = ?', [person.userId])).toEqual([])
    expect(await world.mysql.query('SELECT 1 FROM blocks WHERE blocker_id = ?', [person.userId])).toEqual([])
    expect(
      await world.mysql.query('SELECT 1 FROM restricted_pairs WHERE restricted_id = ?', [person.userId]),
    ).toEqual([])
    const again = await users.register({ email: person.email })
    expect(again.status).toBe(201)
    expect(again.body.id).not.toBe(person.userId)
  })

  it('deleting an account happens once for any number of requests', async () => {
    const person = await users.person()
    const answers = await Promise.all(Array.from({ length: 5 }, () => remove(person)))
    const begun = answers.filter(({ status }) => status === 202)
    expect(begun).toHaveLength(1)
    expect(
      await world.mysql.query('SELECT 1 FROM account_deletions WHERE user_id = ?', [person.userId]),
    ).toHaveLength(1)
  })

  it('a deletion is visible only to callers who know its id', async () => {
    expect((await users.call('GET', `/auth/deletions/${crypto.randomUUID()}`)).body.code).toBe(
      'DELETION_NOT_FOUND',
    )
  })
})

describe('a process that dies after starting a deletion', () => {
  it('a process that dies at any step of a deletion leaves the remaining steps to the next process', async () => {
    const quiet = await testWorld()
    try {
      const first = await quiet.build({}, { started: false })
      const person = await first.person()
      const { deletion_id } = (await remove(person, {}, first)).body
      const before = (await first.call('GET', `/auth/deletions/${deletion_id}`)).body
      expect(stepsOf(before)).toMatchObject({ sessions: 'done', profile: 'pending' })
      await first.service.stop()

      const second = await quiet.build()
      const seen = await quiet.events()
      await seen.waitFor(userDeleted, (event) => event.deletion_id === deletion_id)
      const now = async () => stepsOf((await second.call('GET', `/auth/deletions/${deletion_id}`)).body)
      await waitFor(async () => (await now()).profile === 'done')
    } finally {
      await quiet.close()
    }
  })

  it('a deletion is announced again to services that have not confirmed for a day', async () => {
    const person = await users.person()
    const { deletion_id } = (await remove(person)).body
    await events.waitFor(userDeleted, (event) => event.deletion_id === deletion_id)
    await world.mysql.query(
      'UPDATE account_deletions SET announced_at = announced_at - INTERVAL 25 HOUR WHERE id = ?',
      [deletion_id],
    )
    await world.build()
    const announced = () =>
      events.events.filter((event) => 'deletion_id' in event && event.deletion_id === deletion_id)
    await waitFor(() => announced().length === 2)
  })
})
