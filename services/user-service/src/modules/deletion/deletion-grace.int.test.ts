import { userDeleted } from '@bigtech/contracts'
import { type EventCollector, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
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
  users = await world.build({ DELETION_GRACE_DAYS: '7' })
  events = await world.events()
})
afterAll(() => world.close())

async function leave(person: Person): Promise<{ deletion_id: string; due_at: string; requested_at: string }> {
  const { token } = person
  const answer = await users.call('DELETE', '/profile/me', { token, body: { password: PASSWORD } })
  expect(answer.status, answer.text).toBe(202)
  expect(answer.body.state).toBe('scheduled')
  return answer.body
}
const deletionOf = (id: string) => users.call('GET', `/auth/deletions/${id}`)
const letItBeDue = (id: string) =>
  world.mysql.query('UPDATE account_deletions SET due_at = UTC_TIMESTAMP(3) WHERE id = ?', [id])
const told = (id: string) => events.events.some((event) => 'deletion_id' in event && event.deletion_id === id)

it('an account scheduled for deletion is hidden and signed out, and nothing is erased for 7 days', async () => {
  const [person, viewer] = [await users.person(), await users.person()]
  const deletion = await leave(person)
  expect(Date.parse(deletion.due_at) - Date.parse(deletion.requested_at)).toBe(7 * 86_400_000)
  const me = await users.call('GET', '/profile/me', { token: person.token })
  expect(me.body.code).toBe('SESSION_REVOKED')
  const seen = await users.call('GET', `/users/${person.userId}`, { token: viewer.token })
  expect(seen.body.code).toBe('USER_NOT_FOUND')
  expect((await users.register({ email: person.email })).body.code).toBe('EMAIL_TAKEN')
  expect((await users.register({ username: person.username })).body.code).toBe('USERNAME_TAKEN')
  expect((await users.refresh(person.tokens.refresh_token)).status).toBe(401)
})

it('a sign-in cancels the deletion and reports it', async () => {
  const [person, viewer] = [await users.person(), await users.person()]
  const { deletion_id } = await leave(person)
  const back = await users.login(person.email)
  expect(back.body).toMatchObject({ user_id: person.userId, deletion_cancelled: true })
  expect((await deletionOf(deletion_id)).body.code).toBe('DELETION_NOT_FOUND')
  expect((await users.call('GET', `/users/${person.userId}`, { token: viewer.token })).status).toBe(200)
  expect((await users.login(person.email)).body.deletion_cancelled).toBeUndefined()
  // The deletion can be requested again.
  await leave({ ...person, token: back.body.access_token })
})

it('a password reset and sign-in also cancel the deletion', async () => {
  const person = await users.person()
  await leave(person)
  await users.call('POST', '/auth/password/forgot', { body: { email: person.email } })
  const [link] = await waitFor(async () => {
    const rows = await world.mysql.query<{ id: string }>(
      "SELECT id FROM account_links WHERE user_id = ? AND purpose = 'reset_password'",
      [person.userId],
    )
    return rows.length > 0 && rows
  })
  const { token } = (await users.call('POST', `/internal/account-links/${link!.id}`)).body
  const body = { token, new_password: 'Better5678#$' }
  expect((await users.call('POST', '/auth/password/reset', { body })).status).toBe(204)
  expect((await users.login(person.email, 'Better5678#$')).body.deletion_cancelled).toBe(true)
})

it('a deletion begins when due and can no longer be cancelled by a sign-in', async () => {
  const person = await users.person()
  const { deletion_id } = await leave(person)
  await letItBeDue(deletion_id)
  await events.waitFor(userDeleted, (event) => event.deletion_id === deletion_id)
  expect((await deletionOf(deletion_id)).body.state).toBe('running')
  expect((await users.login(person.email)).body.code).toBe('CREDENTIALS_INVALID')
})

it('a deletion is either cancelled or executed when a sign-in races with its start, never both', async () => {
  const meet = async () => {
    const person = await users.person()
    const { deletion_id } = await leave(person)
    // The job checks for due deletions right after each request.
    await letItBeDue(deletion_id)
    const { status, body } = await users.login(person.email)
    if (status !== 200) {
      await events.waitFor(userDeleted, (event) => event.deletion_id === deletion_id)
      return { deletion_id, isBack: false }
    }
    expect(body.deletion_cancelled).toBe(true)
    expect((await deletionOf(deletion_id)).status).toBe(404)
    return { deletion_id, isBack: true }
  }
  const outcomes = await Promise.all(Array.from({ length: 12 }, meet))
  for (const { deletion_id, isBack } of outcomes) expect(told(deletion_id)).toBe(!isBack)
})
