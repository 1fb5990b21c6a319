import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestChat, type TestChat } from '../../../testing/chat.ts'
import { placesSql } from './room-list.repository.ts'

let chat: TestChat

beforeAll(async () => {
  chat = await startTestChat()
  await chat.untilReady()
}, 60_000)
afterAll(() => chat?.close())

interface Item {
  room_id: number
  [field: string]: unknown
}

const list = async (userId: number, query = '') => (await chat.as(userId, 'GET', `/rooms${query}`)).body
const ids = (page: { items: Item[] }) => page.items.map(({ room_id }) => room_id)
const open = async (userId: number, name: string, memberIds: number[] = []) =>
  (await chat.as(userId, 'POST', '/rooms', { name, member_ids: memberIds })).body.room_id as number
const send = (userId: number, room: number, content = 'hello') =>
  chat.as(userId, 'POST', `/messages/${room}`, { content })

/** Inserts many rooms of one user at once. */
async function seedRooms(userId: number, count: number): Promise<void> {
  const [{ next }] = (await chat.mysql.query('SELECT COALESCE(MAX(id), 0) + 1 AS next FROM rooms')) as [
    { next: number },
  ]
  const numbers = Array.from({ length: count }, (_, index) => Number(next) + index)
  await chat.mysql.query(
    `INSERT INTO rooms (id, room_type, name, created_by, member_count, last_activity_at, created_at) VALUES ${numbers
      .map(
        (id, index) =>
          `(${id}, 'group', 'r${index}', 1, 1, UTC_TIMESTAMP(3) - INTERVAL ${index + 60} SECOND, UTC_TIMESTAMP(3))`,
      )
      .join(',')}`,
  )
  await chat.mysql.query(
    `INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES ${numbers
      .map((id) => `(${id}, ${userId}, 'owner', UTC_TIMESTAMP(3))`)
      .join(',')}`,
  )
}

describe('listRooms', () => {
  it('the list orders rooms by the newest message immediately, before MySQL is updated', async () => {
    const [me] = await chat.people(1)
    const rooms = [await open(me, 'a'), await open(me, 'b'), await open(me, 'c')]
    for (const room of [rooms[1]!, rooms[2]!, rooms[0]!, rooms[1]!]) {
      await send(me, room)
      expect(ids(await list(me))[0]).toBe(room)
    }
    expect(ids(await list(me))).toEqual([rooms[1], rooms[0], rooms[2]])
  })

  it('the list orders rooms correctly although the process died before updating MySQL', async () => {
    const [me] = await chat.people(1)
    const rooms = [await open(me, 'a'), await open(me, 'b')]
    await send(me, rooms[1]!)
    await send(me, rooms[0]!)
    const behind = async () =>
      (await chat.mysql.query('SELECT id FROM rooms WHERE id IN (?, ?) AND last_seq = 0', rooms)).length
    await waitFor(async () => (await behind()) === 0)
    await chat.mysql.query(
      'UPDATE rooms SET last_seq = 0, last_activity_at = UTC_TIMESTAMP(3) - INTERVAL id DAY WHERE id IN (?, ?)',
      rooms,
    )
    expect(ids(await list(me))).toEqual(rooms)
    await waitFor(async () => (await behind()) === 0, { what: 'MySQL to be updated again' })
  })

  it('the list shows preview, unread count and mentions for the calling member', async () => {
    const [me, mina] = await chat.people(2)
    await chat.befriend(me, mina)
    const room = await open(me, 'talk', [mina])
    await send(me, room, 'first')
    await chat.as(me, 'POST', `/messages/${room}`, { content: 'you there?', mentions: [mina] })
    const [seen] = (await list(mina)).items
    expect(seen).toMatchObject({
      last_message_type: 'text',
      last_message_preview: 'you there?',
      last_seq: 2,
      unread_count: 2,
      mention_count: 1,
    })
    expect((await list(me)).items[0]).toMatchObject({ unread_count: 0, mention_count: 0 })
    await chat.as(mina, 'PUT', `/rooms/${room}/read`, { seq: 2 })
    expect((await list(mina)).items[0]).toMatchObject({ unread_count: 0, mention_count: 0 })
  })

  it('the list shows pinned rooms first and titles unnamed groups by their members', async () => {
    const [me, mina, jun] = await chat.people(3)
    await chat.befriend(me, mina, jun)
    await chat.name(mina, 'mina', '미나')
    await chat.name(jun, 'jun', '준')
    const unnamed = (await chat.as(me, 'POST', '/rooms', { member_ids: [mina, jun] })).body.room_id
    const newer = await open(me, 'newer')
    await chat.as(me, 'PUT', `/rooms/${unnamed}/settings`, { pinned: true })
    const page = await list(me)
    expect(ids(page)).toEqual([unnamed, newer])
    expect(page.items[0]).toMatchObject({ name: null, title: '미나, 준', pinned: true })
  })

  it('the list shows each of 130 rooms once over its pages while rooms and messages are added', async () => {
    const [me] = await chat.people(1)
    await seedRooms(me, 130)
    const before = new Set(
      (
        await chat.mysql.query<{ room_id: number }>('SELECT room_id FROM room_members WHERE user_id = ?', [
          me,
        ])
      ).map(({ room_id }) => Number(room_id)),
    )
    const seen: number[] = []
    let cursor: string | null = null
    do {
      const page: { items: Item[]; next_cursor: string | null } = await list(
        me,
        `?limit=20${cursor ? `&cursor=${cursor}` : ''}`,
      )
      seen.push(...ids(page))
      cursor = page.next_cursor
      await send(me, await open(me, 'new'))
      await send(me, seen[0]!)
    } while (cursor)
    expect(seen).toHaveLength(new Set(seen).size)
    expect(new Set(seen)).toEqual(before)
  })

  it('the list of rooms uses indexes only: the rooms of one member, then each room by its key', async () => {
    const [me, other] = await chat.people(2)
    await seedRooms(me, 300)
    await seedRooms(other, 300)
    await chat.mysql.query('ANALYZE TABLE rooms, room_members')
    const plan = await chat.mysql.query<Record<string, string>>(`EXPLAIN ${placesSql(false)}`, [me])
    const steps = plan.map(({ table, type, key }) => ({ table, type, key }))
    expect(steps).toContainEqual({ table: 'm', type: 'ref', key: 'room_members_by_user' })
    expect(steps).toContainEqual({ table: 'r', type: 'eq_ref', key: 'PRIMARY' })
    expect(plan.find(({ table }) => table === 'm')?.Extra).toContain('Using index')
    expect(JSON.stringify(plan)).not.toMatch(/filesort|temporary/i)
  })

  it('members are read in index order from the end of the previous page', async () => {
    const [me] = await chat.people(1)
    const room = await open(me, 'plan')
    await chat.mysql.query(
      `INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES ${Array.from(
        { length: 900 },
        (_, index) => `(${room}, ${700_000 + index}, 'member', UTC_TIMESTAMP(3))`,
      ).join(',')}`,
    )
    await chat.mysql.query('ANALYZE TABLE room_members')
    const plan = await chat.mysql.query<Record<string, string>>(
      `EXPLAIN SELECT user_id, role, joined_at FROM room_members
       WHERE room_id = ? AND (joined_at > ? OR (joined_at = ? AND user_id > ?)) ORDER BY joined_at, user_id LIMIT 21`,
      [room, '2026-01-01', '2026-01-01', 5],
    )
    expect(plan[0]).toMatchObject({ key: 'room_members_by_joining' })
    expect(plan[0]!.Extra).not.toContain('filesort')
  })
})

describe('activity of rooms', () => {
  it('the activity of a busy room costs about one write a second, and is correct afterwards', async () => {
    const [me] = await chat.people(1)
    const room = await open(me, 'busy')
    const writes = async () => {
      const metrics = (await chat.as(null, 'GET', '/metrics')).body as string
      const line = /store_request_duration_seconds_count\{[^}]*operation="room_activity"[^}]*\} (\d+)/.exec(
        metrics,
      )
      return Number(line?.[1] ?? 0)
    }
    const before = await writes()
    const started = performance.now()
    for (let count = 0; count < 60; count++) await send(me, room)
    const seconds = (performance.now() - started) / 1_000
    await waitFor(async () => {
      const [row] = await chat.mysql.query<{ last_seq: number }>('SELECT last_seq FROM rooms WHERE id = ?', [
        room,
      ])
      return Number(row?.last_seq) === 60
    })
    expect((await writes()) - before).toBeLessThanOrEqual(Math.ceil(seconds) + 2)
  })
})
