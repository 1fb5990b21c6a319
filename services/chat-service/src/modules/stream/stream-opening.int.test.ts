import { friendRequestSent, onlineStatusChanged, roomMembersChanged } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../testing/rooms.ts'
import { openTestStream, type TestStream } from '../../../testing/stream.ts'

let rooms: TestRooms

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

it('a stream writes nothing before ready or reset while friend and presence frames arrive, and loses none of them', async () => {
  const [viewer, friend] = await rooms.chat.people(2)
  await rooms.chat.befriend(viewer, friend)
  for (const _unused of upTo(5)) await rooms.room(viewer, friend)
  const token = await rooms.chat.token(viewer)
  let publishing = true
  let requestId = 0
  const publisher = (async () => {
    while (publishing) {
      requestId++
      await Promise.all([
        rooms.chat.publish(friendRequestSent, {
          request_id: requestId,
          from_user_id: viewer + 500_000,
          to_user_id: viewer,
        }),
        rooms.chat.publish(onlineStatusChanged, {
          user_id: friend,
          online: requestId % 2 === 0,
          last_seen_at: new Date().toISOString(),
          visibility: 'friends',
        }),
      ])
    }
  })()
  const opens = upTo(80)
  for (let start = 0; start < opens.length; start += 8) {
    const streams = await Promise.all(
      opens.slice(start, start + 8).map(async (turn): Promise<TestStream> => {
        const stream = await openTestStream(rooms.addresses[turn % 2]!, { token })
        await waitFor(() => stream.frames.length > 0)
        expect(stream.contentType).toContain('text/event-stream')
        expect(stream.frames[0]!.event).toBe('reset')
        return stream
      }),
    )
    // Every frame published after all of them were open reaches each of them.
    const next = requestId + 2
    for (const stream of streams) await stream.waitFor('friend', ({ request_id }) => request_id! >= next)
    for (const stream of streams) {
      const ids = stream.frames.flatMap((each) => (each.event === 'friend' ? [each.data.request_id!] : []))
      expect(ids, 'without a gap').toEqual(upTo(ids.length).map((n) => ids[0]! + n - 1))
      stream.kill()
    }
    await waitFor(() => streams.every(({ ended }) => ended))
  }
  publishing = false
  await publisher
}, 90_000)

it('a stream resumes a room that was quiet at the cursor, although its channel has delivered to others since', async () => {
  const [viewer, friend] = await rooms.chat.people(2)
  const roomId = await rooms.room(viewer, friend)
  const [viewerToken, friendToken] = await Promise.all([viewer, friend].map((id) => rooms.chat.token(id)))
  const other = await openTestStream(rooms.addresses[0]!, { token: friendToken! })
  await other.waitFor('reset')
  const opened = Date.now()
  await waitFor(() => Date.now() > opened)
  const lastEventId = `2~0.0~${Date.now().toString(36)}`
  const { seq } = await rooms.send(viewer, roomId, 'while away')
  await other.waitFor('message')
  const resumed = await openTestStream(rooms.addresses[0]!, { token: viewerToken!, lastEventId })
  await resumed.waitFor('ready')
  await resumed.waitFor('message', (each) => each.seq === seq, 3_000)
  for (const stream of [other, resumed]) stream.kill()
})

it('a stream issues a short id to a user in 1,050 quiet rooms', async () => {
  const [viewer, friend] = await rooms.chat.people(2)
  await insertRooms(1_050, [viewer, friend], 'UTC_TIMESTAMP(3) - INTERVAL 1 HOUR')
  const stream = await openTestStream(rooms.addresses[0]!, { token: await rooms.chat.token(viewer) })
  const reset = await stream.waitFor('reset', undefined, 20_000)
  expect(reset.rooms).toHaveLength(1_050)
  expect(stream.lastEventId.length).toBeLessThan(100)
  stream.kill()
}, 60_000)

it('a stream accepts its own ids when hundreds of rooms are active at once, and loses nothing', async () => {
  const [viewer, friend] = await rooms.chat.people(2)
  await rooms.chat.befriend(viewer, friend)
  const roomIds = await insertRooms(300, [viewer, friend], 'UTC_TIMESTAMP(3)')
  const token = await rooms.chat.token(viewer)
  const stream = await openTestStream(rooms.addresses[0]!, { token })
  const reset = await stream.waitFor('reset', undefined, 20_000)
  expect(reset.rooms).toHaveLength(roomIds.length)
  for (let start = 0; start < roomIds.length; start += 25)
    await Promise.all(roomIds.slice(start, start + 25).map((id) => rooms.send(friend, id, 'hello')))
  const received = () => stream.frames.filter(({ event }) => event === 'message').length
  await waitFor(() => received() === roomIds.length, { timeoutMs: 20_000 })
  expect(stream.lastEventId.length).toBeLessThanOrEqual(8_000)
  stream.kill()
  const last = await rooms.send(friend, roomIds[0]!, 'while away')
  // Like a client, which retries after 503: a busy machine may take more than 2 s to read 300 rooms.
  const resumed = await waitFor(
    () => openTestStream(rooms.addresses[1]!, { token, lastEventId: stream.lastEventId }),
    { timeoutMs: 20_000 },
  )
  await waitFor(() => resumed.frames.length > 0, { timeoutMs: 20_000 })
  expect(resumed.frames[0]!.event).toBe('ready')
  await resumed.waitFor('message', ({ room_id, seq }) => room_id === roomIds[0] && seq === last.seq, 20_000)
  resumed.kill()
}, 120_000)

it('a stream announces a removed room once, although both hint and event arrive', async () => {
  const [owner, member, other] = await rooms.chat.people(3)
  const roomId = await rooms.room(owner, member, other)
  const second = await rooms.room(owner, member)
  const stream = await openTestStream(rooms.addresses[0]!, { token: await rooms.chat.token(member) })
  await stream.waitFor('reset')
  await rooms.as(owner, 'DELETE', `/rooms/${roomId}/members/${member}`)
  await stream.waitFor('room_removed')
  await rooms.chat.eventOf(
    roomMembersChanged,
    (event) => event.room_id === roomId && event.removed.length > 0,
  )
  // A later change of the same member has arrived both ways, so the first one has too.
  await rooms.as(owner, 'DELETE', `/rooms/${second}/members/${member}`)
  await rooms.chat.eventOf(
    roomMembersChanged,
    (event) => event.room_id === second && event.removed.length > 0,
  )
  await stream.waitFor('room_removed', ({ room_id }) => room_id === second)
  await rooms.chat.another()
  const removed = stream.frames.flatMap((each) => (each.event === 'room_removed' ? [each.data.room_id] : []))
  expect(removed).toEqual([roomId, second])
  stream.kill()
}, 30_000)

it.each([
  ['lists it', (id: string) => id],
  ['omits the room', (id: string) => id.replace(/^(2~[^~]*~[^~]*).*$/, '$1~+')],
])(
  'a stream resumes a room joined just before the first connection from its start when the id %s',
  async (_what, idOf) => {
    const [viewer, friend] = await rooms.chat.people(2)
    const token = await rooms.chat.token(viewer)
    const roomId = await rooms.room(friend, viewer)
    const first = await openTestStream(rooms.addresses[0]!, { token })
    expect((await first.waitFor('reset')).rooms).toEqual([{ room_id: roomId, seq: 0, cseq: 0 }])
    first.kill()
    await rooms.send(friend, roomId, 'while away')
    const second = await openTestStream(rooms.addresses[1]!, {
      token,
      lastEventId: idOf(first.lastEventId),
    })
    expect((await second.waitFor('message')).seq).toBe(1)
    expect(second.frames.map(({ event }) => event)).not.toContain('room_added')
    second.kill()
  },
)

/** Inserts groups directly into the database: creating them through the API would take minutes. */
async function insertRooms(
  count: number,
  [owner, member]: [number, number],
  joinedAt: string,
): Promise<number[]> {
  const { mysql } = rooms.chat
  const values = upTo(count).map(() => `('group', NULL, ${owner}, 2, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`)
  await mysql.query(
    `INSERT INTO rooms (room_type, name, created_by, member_count, last_activity_at, created_at) VALUES ${values.join(',')}`,
  )
  const found = (await mysql.query(`SELECT id FROM rooms WHERE created_by = ? ORDER BY id`, [owner])) as {
    id: bigint
  }[]
  const ids = found.map(({ id }) => Number(id))
  const members = ids.flatMap((id) => [
    `(${id}, ${owner}, 'owner', ${joinedAt}, 1)`,
    `(${id}, ${member}, 'member', ${joinedAt}, 1)`,
  ])
  await mysql.query(
    `INSERT INTO room_members (room_id, user_id, role, joined_at, visible_from_seq) VALUES ${members.join(',')}`,
  )
  return ids
}
