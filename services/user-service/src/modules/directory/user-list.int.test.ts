import { createOutbox } from '@bigtech/outbox'
import { uniqueName, waitFor } from '@bigtech/testkit'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  PASSWORD,
  type Person,
  type TestService,
  type TestWorld,
  testWorld,
} from '../../../testing/harness.ts'
import { createMysql } from '../../infrastructure/mysql.ts'
import { setRole } from '../session/roles.ts'

let world: TestWorld
let users: TestService
let operator: string
const tag = uniqueName('ops').slice(0, 12)
const people: Person[] = []

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
  const { email } = await users.person()
  const mysql = createMysql(world.mysql.url, new Registry(), 2)
  await setRole(mysql, createOutbox('user-service'), email, 'operator')
  await mysql.close()
  operator = (await users.login(email)).body.access_token
  for (let n = 0; n < 7; n++) people.push(await users.person({ username: `${tag}_${n}` }))
})
afterAll(() => world.close())

const list = async (query: string, token = operator) => users.call('GET', `/users?${query}`, { token })
const idsOf = (items: { user_id: number }[]) => items.map(({ user_id }) => user_id)
const all = () => people.map(({ userId }) => userId)

it('the user list shows operators every user once, by skip and by cursor alike', async () => {
  const bySkip: number[] = []
  for (let skip = 0; skip < 8; skip += 2)
    bySkip.push(...idsOf((await list(`q=${tag}&limit=2&skip=${skip}`)).body.items))
  expect(bySkip).toEqual(all())
  const byCursor: number[] = []
  for (let cursor = ''; ; ) {
    const { body } = await list(`q=${tag}&limit=2${cursor && `&cursor=${cursor}`}`)
    byCursor.push(...idsOf(body.items))
    if (body.next_cursor === null) break
    cursor = body.next_cursor
  }
  expect(byCursor).toEqual(all())
})

it('the user list finds a user by a complete address, and treats pattern characters in a username literally', async () => {
  const [first] = people as [Person]
  expect(idsOf((await list(`q=${first.email.toUpperCase()}`)).body.items)).toEqual([first.userId])
  expect((await list(`q=${tag.replace(/.$/, '_')}`)).body.items).toEqual([])
})

it('the user list distinguishes active from inactive users', async () => {
  const gone = await users.person({ username: `${tag}gone` })
  await users.call('DELETE', '/profile/me', { token: gone.token, body: { password: PASSWORD } })
  const active = idsOf((await list(`q=${tag}&status=active&limit=100`)).body.items)
  expect(active).toEqual(all())
  const found = await waitFor(async () => {
    const { body } = await list('status=inactive&limit=100')
    const item = body.items.find((each: { user_id: number }) => each.user_id === gone.userId)
    return item?.account.state === 'deleted' && item
  })
  expect(found).toMatchObject({ username: `deleted_${gone.userId}`, account: { email: null, phone: null } })
})

it('each successful sign-in raises the login count of the account and updates the date of the last sign-in', async () => {
  const person = await users.person({ username: `${tag.slice(0, 8)}cnt` })
  const account = async () =>
    (await list(`q=${person.username}`)).body.items[0].account as {
      login_count: number
      last_login_at: string
    }
  const before = await account()
  expect(before.login_count).toBe(1)
  await Promise.all(Array.from({ length: 5 }, () => users.login(person.email)))
  await users.login(person.email, 'Wrong1234!')
  const after = await account()
  expect(after.login_count).toBe(6)
  expect(Date.parse(after.last_login_at)).toBeGreaterThanOrEqual(Date.parse(before.last_login_at))
})

it('the user list is forbidden to users other than operators, who may still read users by id', async () => {
  const [first, second] = people as [Person, Person]
  const refused = await list('limit=5', first.token)
  expect([refused.status, refused.body.code]).toEqual([403, 'ACCOUNT_ROLE_REQUIRED'])
  const { body } = await list(`user_ids=${second.userId}`, first.token)
  expect(body.items).toHaveLength(1)
  expect(JSON.stringify(body)).not.toMatch(/account|phone|email/)
})

it.each([
  ['status=asleep', 'status'],
  ['skip=-1', 'skip'],
  ['skip=10001', 'skip'],
  ['skip=1&cursor=WzFd', 'skip'],
  ['user_ids=1&status=active', 'status'],
  ['user_ids=', 'user_ids'],
])('the user list rejects %s with an error that names the field', async (query, field) => {
  const { status, body } = await list(query)
  expect([status, body.errors?.[0].field]).toEqual([422, field])
})

it('age and phone are visible to their owner and to operators only, and are never published', async () => {
  const person = await users.person({ username: `${tag.slice(0, 8)}tel` })
  const other = await users.person()
  const body = { age: 29, phone: '+82 10-1234-5678' }
  const changed = await users.call('PUT', '/profile/me', { token: person.token, body })
  expect(changed.body).toMatchObject({ age: 29, phone: '+821012345678' })
  const { account } = (await list(`q=${person.username}`)).body.items[0]
  expect(account).toMatchObject({ age: 29, phone: '+821012345678' })
  const seen = await users.call('GET', `/users/${person.userId}`, { token: other.token })
  expect(seen.text).not.toMatch(/821012345678|"age"/)
  const told = await world.mysql.query(
    "SELECT 1 FROM outbox WHERE msg_key = ? AND event_type = 'UserUpdated'",
    [String(person.userId)],
  )
  expect(told).toEqual([])
  for (const wrong of [
    { age: 151 },
    { age: -1 },
    { age: 1.5 },
    { phone: '010-1234-5678' },
    { phone: '+82 1' },
  ]) {
    const refused = await users.call('PUT', '/profile/me', { token: person.token, body: wrong })
    expect([refused.status, refused.body.errors?.[0].field]).toEqual([422, Object.keys(wrong)[0]])
  }
})
