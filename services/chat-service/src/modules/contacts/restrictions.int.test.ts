import { onlineStatusChanged, userDeleted, userRestricted, userUnrestricted } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms } from '../../../testing/rooms.ts'
import { openTestStream, type TestStream } from '../../../testing/stream.ts'

let rooms: TestRooms
const opened: TestStream[] = []

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())
afterEach(() => {
  for (const stream of opened.splice(0)) stream.kill()
})

async function open(userId: number, process = 0): Promise<TestStream> {
  const stream = await openTestStream(rooms.addresses[process]!, { token: await rooms.chat.token(userId) })
  opened.push(stream)
  await waitFor(() => stream.frames.length > 0)
  return stream
}

const framesOf = (stream: TestStream, kind: string) => stream.frames.filter(({ event }) => event === kind)

/** Two friends with a 1:1 room and a group, of whom the first restricts the other from then on. */
async function restrictedPair() {
  const [me, peer] = await rooms.chat.people(2)
  await rooms.chat.name(peer, `user${peer}`, `User ${peer}`)
  const group = await rooms.room(me, peer)
  const room = (await rooms.as(me, 'PUT', `/rooms/direct/${peer}`)).body.room_id as number
  await restrict(me, peer, room)
  return { me, peer, room, group }
}

/** Waits until both processes have applied the restriction. */
async function restrict(me: number, peer: number, room: number, isRestricted = true): Promise<void> {
  const event = isRestricted ? userRestricted : userUnrestricted
  await rooms.chat.publish(event, { restricter_id: me, restricted_id: peer })
  await waitFor(async () => {
    const shown = await rooms.as(me, 'GET', `/rooms/${room}`)
    return shown.body.restricted === isRestricted
  })
}

const positionOf = async (viewer: number, room: number, userId: number, process = 0) => {
  const { body } = await rooms.as(viewer, 'GET', `/rooms/${room}/read`, undefined, process)
  const list = body.items ?? body.positions ?? body
  return list.find((each: { user_id: number }) => each.user_id === userId).seq as number
}

const unreadOf = async (viewer: number, room: number, process = 0) =>
  (await rooms.as(viewer, 'GET', `/rooms/${room}`, undefined, process)).body.unread_count as number

describe('messages of a restricted user', () => {
  it('a restricted user sees neither by stream nor by request how far the restricting user has read in their 1:1 room', async () => {
    const { me, peer, room, group } = await restrictedPair()
    const [theirs, mine] = [await open(peer), await open(me, 1)]
    await rooms.send(peer, room, 'one')
    const { seq, message_id } = await rooms.send(peer, room, 'two')
    expect(await unreadOf(me, room)).toBe(2)
    expect((await rooms.as(me, 'PUT', `/rooms/${room}/read`, { seq })).body).toMatchObject({ seq })
    // The restricting user's own devices and badge follow.
    await mine.waitFor('read', ({ room_id, positions }) => room_id === room && positions[0]?.seq === seq)
    for (const process of [0, 1]) {
      expect(await unreadOf(me, room, process)).toBe(0)
      expect(await positionOf(me, room, me, process)).toBe(seq)
      expect(await positionOf(peer, room, me, process)).toBe(0)
      const { body } = await rooms.as(peer, 'GET', `/messages/${room}`, undefined, process)
      const last = body.items.find((each: { message_id: string }) => each.message_id === message_id)
      expect(last.unread_count).toBe(1)
    }
    // A later frame of another room proves that none was in flight.
    const inGroup = await rooms.send(peer, group, 'three')
    await rooms.as(me, 'PUT', `/rooms/${group}/read`, { seq: inGroup.seq })
    await theirs.waitFor(
      'read',
      ({ room_id, positions }) => room_id === group && positions.some((each) => each.user_id === me),
    )
    const told = framesOf(theirs, 'read').filter(({ data }) =>
      JSON.stringify(data).includes(`"room_id":${room},`),
    )
    expect(JSON.stringify(told)).not.toContain(`"user_id":${me},`)
    // Neither does a stream that resumes.
    theirs.kill()
    const again = await openTestStream(rooms.addresses[1]!, {
      token: await rooms.chat.token(peer),
      lastEventId: theirs.lastEventId,
    })
    opened.push(again)
    await again.waitFor('ready')
    await rooms.send(peer, room, 'four')
    await again.waitFor('message', (each) => each.message.content === 'four')
    const reads = framesOf(again, 'read').filter(({ data }) =>
      JSON.stringify(data).includes(`"room_id":${room},`),
    )
    expect(JSON.stringify(reads)).not.toContain(`"user_id":${me},`)
  })

  it('a restricted user sees positions again once the restriction is lifted, from the next read on', async () => {
    const { me, peer, room } = await restrictedPair()
    const first = await rooms.send(peer, room, 'one')
    await rooms.as(me, 'PUT', `/rooms/${room}/read`, { seq: first.seq })
    await restrict(me, peer, room, false)
    expect(await positionOf(peer, room, me)).toBe(0)
    const stream = await open(peer, 1)
    const second = await rooms.send(peer, room, 'two')
    await waitFor(async () => {
      await rooms.as(me, 'PUT', `/rooms/${room}/read`, { seq: second.seq }, 1)
      return (await positionOf(peer, room, me)) === second.seq
    })
    await stream.waitFor('read', ({ positions }) => positions.some((each) => each.user_id === me))
  })

  it('a restricted user still writes, and shows their own position and messages to the restricting user', async () => {
    const { me, peer, room } = await restrictedPair()
    const { seq } = await rooms.send(me, room, 'hello')
    await rooms.as(peer, 'PUT', `/rooms/${room}/read`, { seq })
    expect(await positionOf(me, room, peer)).toBe(seq)
    const stream = await open(me, 1)
    await rooms.send(peer, room, 'hi')
    await stream.waitFor('message', ({ message }) => message.content === 'hi')
    expect((await rooms.as(peer, 'GET', `/rooms/${room}`)).body.restricted).toBe(false)
  })
})

it('typing reaches neither user of a restricted 1:1 room, but both in a common group', async () => {
  const { me, peer, room, group } = await restrictedPair()
  const streams = [await open(me, 1), await open(peer, 1)]
  for (const process of [0, 1])
    for (const userId of [me, peer])
      for (const roomId of [room, group])
        expect((await rooms.as(userId, 'POST', `/rooms/${roomId}/typing`, undefined, process)).status).toBe(
          204,
        )
  for (const [index, stream] of streams.entries()) {
    await stream.waitFor('typing', ({ user_id }) => user_id === [peer, me][index])
    await rooms.send(me, room, `end ${index}`)
    await stream.waitFor('message', ({ message }) => message.content === `end ${index}`)
    expect(JSON.stringify(framesOf(stream, 'typing'))).not.toContain(`"room_id":${room},`)
  }
})

it('presence ends for both users with the restriction, and the restricted user receives no other frame about it', async () => {
  const [me, peer, other] = await rooms.chat.people(3)
  await rooms.chat.name(peer, `user${peer}`, `User ${peer}`)
  await rooms.chat.befriend(me, peer, other)
  const room = (await rooms.as(me, 'PUT', `/rooms/direct/${peer}`)).body.room_id as number
  const [mine, theirs, others] = [await open(me), await open(peer, 1), await open(other)]
  const online = (userId: number, at: string) =>
    rooms.chat.publish(onlineStatusChanged, {
      user_id: userId,
      online: true,
      last_seen_at: at,
      visibility: 'friends',
    })
  await online(me, '2026-01-01T00:00:00.000Z')
  await theirs.waitFor('presence', ({ user_id, online }) => user_id === me && online === true)
  await restrict(me, peer, room)
  await theirs.waitFor('presence', ({ user_id, online }) => user_id === me && online === null)
  await mine.waitFor('presence', ({ user_id, online }) => user_id === peer && online === null)
  await mine.waitFor('friend', ({ event, user_id }) => event === 'restricted' && user_id === peer)
  await online(me, '2026-01-02T00:00:00.000Z')
  await online(peer, '2026-01-02T00:00:00.000Z')
  await others.waitFor('presence', ({ last_seen_at }) => last_seen_at === '2026-01-02T00:00:00.000Z')
  await rooms.send(peer, room, 'end')
  for (const stream of [mine, theirs]) {
    await stream.waitFor('message', ({ message }) => message.content === 'end')
    expect(JSON.stringify(framesOf(stream, 'presence'))).not.toContain('2026-01-02')
  }
  for (const kind of ['friend', 'lists_changed', 'room_updated']) expect(framesOf(theirs, kind)).toEqual([])
})

it('a deleted account takes the restrictions with it', async () => {
  const { me, peer } = await restrictedPair()
  const [low, high] = [Math.min(me, peer), Math.max(me, peer)]
  const flags = () =>
    rooms.chat.mysql.query('SELECT 1 FROM contact_pairs WHERE low = ? AND high = ?', [low, high])
  expect(await flags()).toHaveLength(1)
  await rooms.chat.publish(userDeleted, {
    user_id: peer,
    deletion_id: crypto.randomUUID(),
    message_policy: 'keep',
  })
  await waitFor(async () => (await flags()).length === 0)
})
