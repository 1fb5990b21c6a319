import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'

let chat: TestChat

beforeAll(async () => {
  chat = await startTestChat()
  await chat.untilReady()
}, 60_000)
afterAll(() => chat?.close())

async function membershipQueries(): Promise<number> {
  const { body } = await chat.as(null, 'GET', '/metrics')
  const lines = (body as string).split('\n').filter((line) => line.includes('operation="memberships"'))
  const counts = lines.filter((line) => line.startsWith('store_request_duration_seconds_count'))
  return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

it('all members of a room are read with at most two queries', async () => {
  const [me] = await chat.people(1)
  const { room_id } = (await chat.as(me, 'POST', '/rooms', {})).body
  const others = Array.from({ length: 900 }, (_, index) => 800_000 + index)
  await chat.mysql.query(
    `INSERT INTO room_members (room_id, user_id, role, joined_at)
     VALUES ${others.map((id) => `(${room_id}, ${id}, 'member', UTC_TIMESTAMP(3))`)}`,
  )
  const before = await membershipQueries()
  const { body } = await chat.as(me, 'GET', `/rooms/${room_id}/read`)
  expect(body.items.map(({ user_id }: { user_id: number }) => user_id)).toEqual([me, ...others])
  // One query for the caller's membership, one for all members.
  expect((await membershipQueries()) - before).toBeLessThanOrEqual(2)
})

it('all rooms of a user are read with a constant number of queries', async () => {
  const [me] = await chat.people(1)
  const ids = Array.from({ length: 500 }, (_, index) => 900_000 + index)
  await chat.mysql.query(
    `INSERT INTO rooms (id, room_type, created_by, member_count, last_activity_at, created_at)
     VALUES ${ids.map((id) => `(${id}, 'group', ${me}, 1, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`)}`,
  )
  await chat.mysql.query(
    `INSERT INTO room_members (room_id, user_id, role, joined_at)
     VALUES ${ids.map((id) => `(${id}, ${me}, 'owner', UTC_TIMESTAMP(3))`)}`,
  )
  const before = await membershipQueries()
  expect((await chat.as(me, 'GET', '/messages/search?q=nothing')).status).toBe(200)
  expect((await membershipQueries()) - before).toBe(1)
})

it('memberships are found by index', async () => {
  const [me] = await chat.people(1)
  await chat.mysql.query('ANALYZE TABLE rooms, room_members')
  const sides = [
    [Array.from({ length: 300 }, (_, index) => 900_000 + index), [me]],
    [[900_000], Array.from({ length: 300 }, (_, index) => 800_000 + index)],
  ]
  for (const [rooms, users] of sides) {
    const plan = await chat.mysql.query<Record<string, string>>(
      `EXPLAIN SELECT m.role, r.room_type FROM room_members m JOIN rooms r ON r.id = m.room_id
       WHERE m.room_id IN (${rooms}) AND m.user_id IN (${users})`,
    )
    for (const { type } of plan) expect(['range', 'ref', 'eq_ref', 'const']).toContain(type)
  }
})
