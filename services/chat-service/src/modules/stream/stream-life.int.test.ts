import { connect } from 'node:net'
import {
  friendRequestCancelled,
  friendRequestSent,
  onlineStatusChanged,
  streamPresenceChanged,
  userBlocked,
  userSessionRevoked,
} from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../testing/rooms.ts'
import { type OpenOptions, openTestStream, type TestStream } from '../../../testing/stream.ts'

let rooms: TestRooms
const opened: TestStream[] = []

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())
afterEach(() => {
  for (const stream of opened.splice(0)) stream.kill()
})

async function open(userId: number, process = 0, options: OpenOptions = {}): Promise<TestStream> {
  const stream = await openTestStream(rooms.addresses[process]!, {
    token: await rooms.chat.token(userId),
    ...options,
  })
  opened.push(stream)
  await waitFor(() => stream.frames.length > 0)
  return stream
}

const metric = async (name: string) => {
  const { body } = await rooms.chat.services[0]!.app.inject('/metrics')
  return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(body)?.[1] ?? 0)
}

it('the delivery histogram counts a message once per process with a reader, by the time since its acceptance', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const streams = [await open(a), await open(b)]
  const labels = 'service="chat-service"'
  const count = () => metric(`message_delivery_duration_seconds_count{${labels}}`)
  const notLate = () => metric(`message_delivery_duration_seconds_bucket{le="15",${labels}}`)
  const counts = async () => [await count(), await notLate()] as const
  const [before, notLateBefore] = await counts()
  const { message_id } = await rooms.send(a, roomId, 'in time')
  for (const stream of streams) await stream.waitFor('message')
  await waitFor(async () => (await count()) === before + 1)

  // Accepted an hour ago by a process that died before its hint: the next message makes the stream read both.
  const messages = rooms.db.collection<{ _id: string }>('messages')
  const { client_message_id: _unique, ...stored } = (await messages.findOne({ _id: message_id })) as {
    _id: string
    client_message_id?: string
  }
  await messages.insertOne({
    ...stored,
    _id: `${roomId}:${'2'.padStart(12, '0')}`,
    event_id: crypto.randomUUID(),
    created_at: new Date(Date.now() - 3_600_000),
  } as { _id: string })
  await rooms.send(a, roomId, 'next')
  await waitFor(async () => (await count()) === before + 3)
  expect((await notLate()) - notLateBefore).toBe(2)
})

describe('openStream', () => {
  it('opening a stream accepts a ticket once, and no token in the URL', async () => {
    const [a] = await rooms.chat.people(1)
    const { status, body } = await rooms.as(a, 'POST', '/stream/tickets')
    expect(status).toBe(201)
    const query = `?ticket=${body.ticket}`
    const stream = await openTestStream(rooms.addresses[1]!, { query })
    await stream.waitFor('reset')
    stream.kill()
    await expect(openTestStream(rooms.addresses[0]!, { query })).rejects.toThrow('TICKET_INVALID')
    await expect(openTestStream(rooms.addresses[0]!, {})).rejects.toThrow('NOT_AUTHENTICATED')
    const token = await rooms.chat.token(a)
    await expect(openTestStream(rooms.addresses[0]!, { query: `?ticket=${token}` })).rejects.toThrow()
    await expect(openTestStream(rooms.addresses[0]!, { token: 'x.y.z' })).rejects.toThrow('TOKEN_INVALID')
  })

  it('a stream resumes by a ticket that contains the last id, because a browser cannot set the header', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const first = await open(b)
    await rooms.send(a, roomId, 'one')
    await first.waitFor('message')
    first.kill()
    await rooms.send(a, roomId, 'two')
    const { body } = await rooms.as(b, 'POST', '/stream/tickets', { last_event_id: first.lastEventId })
    const second = await openTestStream(rooms.addresses[1]!, { query: `?ticket=${body.ticket}` })
    opened.push(second)
    await second.waitFor('ready')
    expect((await second.waitFor('message')).seq).toBe(2)
  })

  it.each([
    ['nonsense', 'cursor_invalid'],
    [`2~0.0~${(Date.now() + 3_600_000).toString(36)}`, 'cursor_invalid'],
    [`2~0.0~${(Date.now() - 3_600_000).toString(36)}`, 'too_old'],
  ])('a stream responds to the id %s with a reset for the reason %s', async (lastEventId, reason) => {
    const [a] = await rooms.chat.people(1)
    const stream = await open(a, 0, { lastEventId })
    expect(stream.frames[0]).toMatchObject({ event: 'reset', data: { reason } })
  })

  it('a client that missed more than 1,000 entries receives a reset', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const stream = await open(b)
    await rooms.send(a, roomId, 'first')
    await stream.waitFor('message')
    stream.kill()
    for (let n = 0; n < 11; n++) await Promise.all(upTo(100).map((each) => rooms.send(a, roomId, `${each}`)))
    const late = await open(b, 1, { lastEventId: stream.lastEventId })
    expect(late.frames[0]).toMatchObject({ event: 'reset', data: { reason: 'too_many' } })
  }, 30_000)

  it('an 11th stream closes the oldest of a user’s 10 streams, and delays its reconnect', async () => {
    const [a] = await rooms.chat.people(1)
    const streams: TestStream[] = []
    for (const _unused of upTo(10)) streams.push(await open(a))
    const newest = await open(a)
    await newest.waitFor('reset')
    const { delay_ms } = await streams[0]!.waitFor('reconnect')
    expect(delay_ms).toBeGreaterThanOrEqual(60_000)
    await waitFor(() => streams[0]!.ended)
    expect(streams.slice(1).map(({ ended }) => ended)).toEqual(Array(9).fill(false))
    expect(newest.ended).toBe(false)
  })
})

describe('an open stream', () => {
  it('a stream is closed within 2 s on every process when its session is revoked', async () => {
    const [a, b] = await rooms.chat.people(2)
    const token = await rooms.chat.token(a)
    const { sid: sessionId } = JSON.parse(
      atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')),
    )
    const streams = [await open(a, 0), await open(a, 1)]
    const other = await open(b, 0)
    const at = Date.now()
    await rooms.chat.publish(userSessionRevoked, { user_id: a, session_ids: [sessionId], reason: 'revoked' })
    for (const stream of streams) await waitFor(() => stream.ended, { timeoutMs: 2_000 })
    expect(Date.now() - at).toBeLessThan(2_000)
    expect(other.ended).toBe(false)
    await expect(openTestStream(rooms.addresses[1]!, { token })).rejects.toThrow('SESSION_REVOKED')
  })

  it('a stream announces rooms joined while the client was disconnected, and lists no other', async () => {
    const [a, b] = await rooms.chat.people(2)
    const left = await rooms.room(a, b)
    const stream = await open(b)
    await rooms.send(a, left, 'hello')
    await stream.waitFor('message')
    stream.kill()
    await rooms.as(b, 'POST', `/rooms/${left}/leave`)
    const came = await rooms.room(a, b)
    await rooms.send(a, left, 'not for b')
    await rooms.send(a, came, 'first')
    const again = await open(b, 1, { lastEventId: stream.lastEventId })
    const ready = await again.waitFor('ready')
    expect(ready.rooms.map(({ room_id }) => room_id)).toEqual([came])
    expect(await again.waitFor('room_added')).toMatchObject({ room_id: came })
    const { seq } = await rooms.send(a, came, 'second')
    await again.waitFor('message', (each) => each.seq === seq)
    expect(JSON.stringify(again.frames)).not.toContain('not for b')
  })

  it('typing indicators are coalesced and sent to the other members', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const [own, other] = [await open(a, 1), await open(b, 1)]
    for (let n = 0; n < 5; n++)
      expect((await rooms.as(a, 'POST', `/rooms/${roomId}/typing`)).status).toBe(204)
    expect(await other.waitFor('typing')).toEqual({ room_id: roomId, user_id: a, expires_in_ms: 6_000 })
    await rooms.send(a, roomId, 'done')
    await other.waitFor('message')
    expect(other.frames.filter(({ event }) => event === 'typing')).toHaveLength(1)
    expect(own.frames.filter(({ event }) => event === 'typing')).toHaveLength(0)
  })

  it('a stream sends only the latest read position of each member', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const stream = await open(a, 1)
    for (const n of upTo(5)) await rooms.send(a, roomId, `${n}`)
    const answers = await Promise.all(
      upTo(5).map((seq) => rooms.as(b, 'PUT', `/rooms/${roomId}/read`, { seq })),
    )
    expect(answers.map(({ status, body }) => body?.code ?? status)).toEqual(Array(5).fill(200))
    await stream.waitFor('read', ({ positions }) =>
      positions.some((each) => each.user_id === b && each.seq === 5),
    )
    expect(stream.frames.filter(({ event }) => event === 'read').length).toBeLessThanOrEqual(3)
  })

  it('a stream sends presence to friends only, and nothing of users who hide it', async () => {
    const [a, friend, stranger] = await rooms.chat.people(3)
    await rooms.chat.befriend(a, friend)
    const streams = [await open(friend), await open(stranger), await open(friend, 1)]
    const status = {
      user_id: a,
      online: true,
      last_seen_at: new Date().toISOString(),
      visibility: 'friends' as const,
    }
    await rooms.chat.publish(onlineStatusChanged, status)
    for (const stream of [streams[0]!, streams[2]!]) {
      expect(await stream.waitFor('presence')).toMatchObject({ user_id: a, online: true })
    }
    await rooms.chat.publish(onlineStatusChanged, { ...status, visibility: 'nobody' })
    await streams[0]!.waitFor(
      'presence',
      ({ online, last_seen_at }) => online === null && last_seen_at === null,
    )
    expect(streams[1]!.frames.filter(({ event }) => event === 'presence')).toEqual([])
  })

  it('streams send friend requests to both users, and a block only to the blocker', async () => {
    const [a, b] = await rooms.chat.people(2)
    const [mine, theirs] = [await open(a), await open(b)]
    const request = { request_id: 7, from_user_id: b, to_user_id: a }
    await rooms.chat.publish(friendRequestSent, request)
    expect(await mine.waitFor('friend')).toEqual({ event: 'request_received', user_id: b, request_id: 7 })
    await theirs.waitFor('friend', ({ event }) => event === 'request_sent')
    await rooms.chat.publish(friendRequestCancelled, { ...request, reason: 'blocked' })
    await rooms.chat.publish(userBlocked, { blocker_id: a, blocked_id: b })
    await mine.waitFor('friend', ({ event }) => event === 'blocked')
    await rooms.chat.publish(friendRequestSent, { request_id: 8, from_user_id: b, to_user_id: a + 900_000 })
    await theirs.waitFor('friend', ({ request_id }) => request_id === 8)
    expect(theirs.frames.map((each) => each.event === 'friend' && each.data.event).filter(Boolean)).toEqual([
      'request_sent',
      'request_sent',
    ])
  })

  it('an open stream is announced to other services', async () => {
    const [a] = await rooms.chat.people(1)
    const stream = await open(a)
    await rooms.chat.eventOf(streamPresenceChanged, (each) => each.user_id === a && each.open_streams === 1)
    stream.kill()
    await rooms.chat.eventOf(streamPresenceChanged, (each) => each.user_id === a && each.open_streams === 0)
  }, 20_000)

  it('a stream is disconnected when more than 1 MiB is unsent, and loses nothing', async () => {
    const [a, b] = await rooms.chat.people(2)
    const roomId = await rooms.room(a, b)
    const [host, port] = new URL(rooms.addresses[0]!).host.split(':')
    const token = await rooms.chat.token(b)
    const socket = connect(Number(port), host)
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.write(`GET /stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`)
    await waitFor(() => received.includes('event: reset'))
    const { app } = rooms.chat.services[0]!
    const before = await metric('sse_streams_cut_total{reason="slow_reader",service="chat-service"}')
    socket.pause()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    // The kernel buffers several MiB before data waits in the process.
    const content = 'x'.repeat(9_900)
    const cut = async () =>
      (await metric('sse_streams_cut_total{reason="slow_reader",service="chat-service"}')) > before
    let sent = 0
    while (!(await cut()) && sent < 3_000) {
      await Promise.all(upTo(25).map(() => rooms.send(a, roomId, content)))
      sent += 25
    }
    expect(await cut()).toBe(true)
    socket.resume()
    await closed
    const seqs = [...received.matchAll(/"seq":(\d+),"message":/g)].map(([, seq]) => Number(seq))
    expect(seqs).toEqual(upTo(seqs.length))
    expect(app.server.listening).toBe(true)
  }, 60_000)

  it('a block stops direct messages on every stream within 1 s on every process', async () => {
    const [a, b] = await rooms.chat.people(2)
    await rooms.chat.befriend(a, b)
    const { body } = await rooms.as(a, 'PUT', `/rooms/direct/${b}`)
    for (const process of [0, 1]) await rooms.send(b, body.room_id, 'hi', process)
    await rooms.chat.publish(userBlocked, { blocker_id: a, blocked_id: b })
    const refusedOn = (process: number) => async () =>
      (await rooms.as(b, 'POST', `/messages/${body.room_id}`, { content: 'x' }, process)).body.code ===
      'DIRECT_MESSAGE_REFUSED'
    await Promise.all([0, 1].map((process) => waitFor(refusedOn(process), { timeoutMs: 1_000 })))
  })
})

it('on shutdown every stream receives a reconnect delay and resumes on another process', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const stopping = await rooms.chat.another()
  const token = await rooms.chat.token(b)
  const streams = await Promise.all(
    upTo(8).map(() => openTestStream(stopping.app.listeningOrigin, { token })),
  )
  await Promise.all(streams.map((stream) => stream.waitFor('reset')))
  await rooms.send(a, roomId, 'before')
  await Promise.all(streams.map((stream) => stream.waitFor('message')))
  const startedAt = Date.now()
  const stopped = stopping.stop()
  for (const stream of streams) {
    expect((await stream.waitFor('reconnect')).delay_ms).toBeLessThan(5_000)
    await waitFor(() => stream.ended)
  }
  await stopped
  expect(Date.now() - startedAt).toBeLessThan(15_000)
  await rooms.send(a, roomId, 'after')
  const again = await open(b, 0, { lastEventId: streams[0]!.lastEventId })
  expect((await again.waitFor('message')).message.content).toBe('after')
}, 30_000)
