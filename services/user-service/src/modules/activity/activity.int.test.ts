import { friendRequestAccepted, roomCreated, uuidv7 } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
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

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
})
afterAll(() => world.close())

interface Shown {
  readonly activity_id: number
  readonly type: string
  readonly data: Record<string, unknown>
  readonly device: string | null
  readonly ip_prefix: string | null
}
const page = async ({ token }: Person, query = '') =>
  (await users.call('GET', `/users/me/activities${query}`, { token })).body as {
    items: Shown[]
    next_cursor: string | null
  }
const typesOf = async (person: Person) => (await page(person)).items.map(({ type }) => type)

it('the activity log is visible to its owner only, newest first, with device and network', async () => {
  const [person, other] = [await users.person(), await users.person()]
  await users.login(person.email, undefined, { headers: { 'user-agent': 'curl/8.5.0' }, ip: '203.0.113.7' })
  const { token } = person
  await users.call('PUT', '/profile/me', { token, body: { status_message: '휴가 중' } })
  const body = { current_password: PASSWORD, new_password: 'Better5678#$' }
  await users.call('PUT', '/auth/password', { token, body })
  const { items } = await page(person)
  const types = ['sessions_ended', 'password_changed', 'profile_updated', 'signed_in', 'signed_in']
  expect(items.map(({ type }) => type)).toEqual(types)
  expect(items[2]!.data).toEqual({ fields: ['status_message'] })
  expect(items[3]).toMatchObject({ device: 'curl', ip_prefix: '203.0.113.0/24' })
  expect(await typesOf(other)).toEqual(['signed_in'])
})

it('the activity log records which fields changed but not their values', async () => {
  const person = await users.person()
  const body = { display_name: '비밀스러운 이름', status_message: 'a secret status' }
  await users.call('PUT', '/profile/me', { token: person.token, body })
  const rows = await world.mysql.query('SELECT * FROM user_activities WHERE user_id = ?', [person.userId])
  expect(JSON.stringify(rows)).not.toMatch(/비밀스러운|a secret/)
})

it('the activity log records nothing for rejected requests', async () => {
  const person = await users.person()
  await users.login(person.email, 'Wrong1234!')
  const body = { current_password: 'Wrong1234!', new_password: 'Better5678#$' }
  await users.call('PUT', '/auth/password', { token: person.token, body })
  expect(await typesOf(person)).toEqual(['signed_in'])
})

it("the activity log records other services' events once each, except for direct rooms", async () => {
  const [person, friend] = [await users.person(), await users.person()]
  const pair = { from_user_id: person.userId, to_user_id: friend.userId, request_id: 1 }
  const eventId = uuidv7()
  for (let n = 0; n < 3; n++) await world.publish(friendRequestAccepted, pair, { eventId })
  const room = { name: null, created_by: person.userId, member_ids: [person.userId, friend.userId] }
  await world.publish(roomCreated, { ...room, room_id: 7, room_type: 'direct' })
  await world.publish(roomCreated, { ...room, room_id: 8, room_type: 'group' })
  const seen = await waitFor(async () => {
    const types = await typesOf(person)
    return types.includes('room_created') && types.includes('friend_added') && types
  })
  expect([...seen].sort()).toEqual(['friend_added', 'room_created', 'signed_in'])
  expect(await typesOf(friend)).toEqual(['friend_added', 'signed_in'])
})

it('the activity log is erased with the account and not restored by later events', async () => {
  const person = await users.person()
  await users.call('DELETE', '/profile/me', { token: person.token, body: { password: PASSWORD } })
  const rows = () => world.mysql.query('SELECT 1 FROM user_activities WHERE user_id = ?', [person.userId])
  await waitFor(async () => {
    const [user] = await world.mysql.query<{ status: string }>('SELECT status FROM users WHERE id = ?', [
      person.userId,
    ])
    return user!.status === 'deleted'
  })
  expect(await rows()).toEqual([])
  const witness = await users.person()
  const room = { name: null, room_type: 'group', room_id: 9 } as const
  await world.publish(roomCreated, { ...room, created_by: person.userId, member_ids: [person.userId] })
  await world.publish(roomCreated, { ...room, created_by: witness.userId, member_ids: [witness.userId] })
  await waitFor(async () => (await typesOf(witness)).includes('room_created'))
  expect(await rows()).toEqual([])
})
