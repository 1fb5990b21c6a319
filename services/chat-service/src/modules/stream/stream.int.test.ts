import type { Message } from '@bigtech/contracts'
import { createFaultProxy, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../testing/rooms.ts'
import { openTestStream, type Received, type TestStream } from '../../../testing/stream.ts'

let rooms: TestRooms
const address = (index = 0) => rooms.addresses[index]!
const open = async (userId: number, origin: string): Promise<TestStream> => {
  const stream = await openTestStream(origin, { token: await rooms.chat.token(userId) })
  await waitFor(() => stream.frames.length > 0)
  return stream
}

beforeAll(async () => {
  rooms = await startTestRooms()
}, 60_000)
afterAll(() => rooms?.close())

it('a stream delivers a message to the other member, also across processes', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  const stream = await openTestStream(address(0), { token: await rooms.chat.token(b) })
  const reset = await stream.waitFor('reset')
  expect(reset).toMatchObject({ reason: 'new', rooms: [{ room_id: roomId, seq: 0, cseq: 0 }] })
  const sent = await rooms.send(a, roomId, '안녕', 1)
  const frame = await stream.waitFor('message')
  expect(frame).toEqual({ room_id: roomId, seq: 1, message: { ...sent } })
  stream.kill()
})

it('a stream starts delivering a room when its user joins, and stops immediately when the user is removed', async () => {
  const [a, b, c] = await rooms.chat.people(3)
  const roomId = await rooms.room(a, c)
  await rooms.chat.befriend(a, b)
  await rooms.send(a, roomId, 'before')
  const [mine, others] = [await open(b, address(1)), await open(c, address(1))]
  expect((await rooms.as(a, 'POST', `/rooms/${roomId}/members`, { member_ids: [b] })).status).toBeLessThan(
    300,
  )
  const added = await mine.waitFor('room_added')
  expect(added).toMatchObject({ room_id: roomId })
  await others.waitFor(
    'room_updated',
    ({ members }) => members?.added.some(({ user_id }) => user_id === b) ?? false,
  )
  const welcome = await rooms.send(a, roomId, 'welcome')
  await mine.waitFor('message', ({ seq }) => seq === welcome.seq)
  // Remove and send back to back, several times: nothing after the removal may be delivered.
  for (let n = 0; n < 5; n++) {
    const removal = await rooms.as(a, 'DELETE', `/rooms/${roomId}/members/${b}`)
    expect(removal.status).toBeLessThan(300)
    await mine.waitFor('room_removed')
    await Promise.all(upTo(5).map((each) => rooms.send(a, roomId, `secret ${each}`)))
    await others.waitFor('message', ({ message }) => message.content === 'secret 5')
    expect(JSON.stringify(mine.frames)).not.toContain('secret')
    mine.frames.length = 0
    others.frames.length = 0
    expect((await rooms.as(b, 'GET', `/messages/${roomId}`)).status).toBe(403)
    await rooms.as(a, 'POST', `/rooms/${roomId}/members`, { member_ids: [b] })
    await mine.waitFor('room_added')
    mine.frames.length = 0
  }
}, 30_000)

it('a removed member receives nothing that was sent after the removal, even while a process still looks the removal up', async () => {
  const url = new URL(rooms.chat.config.DATABASE_URL)
  const mysql = await createFaultProxy({ host: url.hostname, port: Number(url.port) })
  url.host = `${mysql.host}:${mysql.port}`
  const { app } = await rooms.chat.another({ DATABASE_URL: url.href })
  await rooms.chat.untilReady()
  const [owner, removed, member] = await rooms.chat.people(3)
  const roomId = await rooms.room(owner, removed, member)
  const proofRoomId = await rooms.room(owner, member)
  const gone = await open(removed, app.listeningOrigin)
  const stays = await open(member, app.listeningOrigin)
  const hasContent = (content: string) => (frame: { message: { content: string | null } }) =>
    frame.message.content === content
  for (const room of [roomId, proofRoomId]) await rooms.send(owner, room, 'before')
  await gone.waitFor('message', hasContent('before'))
  await waitFor(() => stays.frames.filter(({ event }) => event === 'message').length === 2)

  mysql.freeze()
  expect((await rooms.as(owner, 'DELETE', `/rooms/${roomId}/members/${removed}`)).status).toBe(204)
  await rooms.send(owner, roomId, 'secret')
  await rooms.as(owner, 'POST', `/rooms/${roomId}/typing`)
  await rooms.send(owner, proofRoomId, 'later')
  await stays.waitFor('message', hasContent('later'))
  await mysql.restore()
  await stays.waitFor('message', hasContent('secret'))
  await stays.waitFor('typing')
  await gone.waitFor('room_removed')
  const frames = gone.frames.filter(({ event }) => event === 'message' || event === 'typing')
  expect(frames.map(({ data }) => (data as { message?: Message }).message?.content)).toEqual(['before'])
  for (const stream of [gone, stays]) stream.kill()
  await mysql.close()
})

/** Reads a stream whose connection breaks at varying times, and resumes from the last id. */
async function readThroughDeaths(options: {
  userId: number
  deaths: number
  /** Returns true when every expected frame has arrived. */
  done: () => boolean
  /** Called when the first stream has received its first frame. */
  onOpen: () => void
}): Promise<{ frames: Received[]; resets: string[] }> {
  const token = await rooms.chat.token(options.userId)
  const frames: Received[] = []
  const resets: string[] = []
  let lastEventId: string | undefined
  let deaths = 0
  for (;;) {
    const last = deaths >= options.deaths
    const stream = await openTestStream(address(deaths % rooms.addresses.length), {
      token,
      ...(lastEventId ? { lastEventId } : {}),
      onFrame: (each) => {
        frames.push(each)
        if (each.event === 'reset') resets.push(each.data.reason)
      },
    })
    await waitFor(() => stream.frames.length > 0)
    options.onOpen()
    if (last) {
      await waitFor(options.done, { timeoutMs: 30_000 })
      await quiet(frames)
      stream.kill()
      return { frames, resets }
    }
    await new Promise((resolve) => setTimeout(resolve, (deaths * 67) % 150))
    stream.kill()
    await waitFor(() => stream.ended)
    lastEventId = stream.lastEventId
    deaths++
  }
}

/** Waits until no frame has arrived for half a second. */
async function quiet(frames: readonly unknown[]): Promise<void> {
  let seen = -1
  const settled = () => {
    if (frames.length === seen) return true
    seen = frames.length
    return false
  }
  await waitFor(settled, { intervalMs: 500, timeoutMs: 20_000 })
}

it('a stream delivers every entry once over 20 disconnects with edits and reactions in between', async () => {
  const [a, b, c] = await rooms.chat.people(3)
  const roomIds = [await rooms.room(a, b), await rooms.room(c, b, a), await rooms.room(a, b, c)]
  let finished = false
  const opened = Promise.withResolvers<void>()
  const reading = readThroughDeaths({
    userId: b,
    deaths: 20,
    done: () => finished,
    onOpen: opened.resolve,
  })
  // A reader that never opens its stream fails the test by its own error.
  await Promise.race([opened.promise, reading])
  const writer = async (userId: number, index: number) => {
    for (let turn = 0; turn < 60; turn++) {
      const roomId = roomIds[(turn + index) % roomIds.length]!
      if (userId === c && roomId === roomIds[0]) continue
      const message = await rooms.send(userId, roomId, `${userId} ${turn}`, (turn + index) % 2)
      if (turn % 3 === 0) {
        const url = `/messages/${roomId}/${message.message_id}`
        expect((await rooms.as(userId, 'PATCH', url, { content: `edited ${turn}` }, turn % 2)).status).toBe(
          200,
        )
        const react = await rooms.as(
          userId,
          'PUT',
          `${url}/reactions/${encodeURIComponent('👍')}`,
          undefined,
          turn % 2,
        )
        expect(react.status, JSON.stringify(react.body)).toBe(200)
      }
      await new Promise((resolve) => setTimeout(resolve, (turn * 7) % 20))
    }
  }
  await Promise.all([writer(a, 0), writer(c, 1), writer(a, 2)])
  finished = true
  const { frames, resets } = await reading
  expect(resets).toEqual(['new'])
  const first = frames.find(({ event }) => event === 'reset')!.data as {
    rooms: { room_id: number; seq: number; cseq: number }[]
  }
  expect(first.rooms).toHaveLength(3)
  for (const roomId of roomIds) {
    const { body } = await rooms.as(b, 'GET', `/messages/${roomId}?limit=1`)
    const seqs = frames.flatMap((each) =>
      each.event === 'message' && each.data.room_id === roomId ? [each.data.seq] : [],
    )
    const cseqs = frames.flatMap((each) =>
      each.event === 'message_updated' && each.data.room_id === roomId ? [each.data.cseq] : [],
    )
    const start = first.rooms.find(({ room_id }) => room_id === roomId)!
    expect(seqs).toEqual(upTo(body.last_seq).slice(start.seq))
    expect(cseqs).toEqual(upTo(body.last_cseq).slice(start.cseq))
  }
}, 90_000)

it('a member’s room settings are sent to their other devices only', async () => {
  const [a, b] = await rooms.chat.people(2)
  const roomId = await rooms.room(a, b)
  // The event of the room's creation may still arrive: its frame lists members.
  const isSettingsChange = ({ event, data }: Received) => event === 'room_updated' && data.members === null
  const [phone, laptop, others] = await Promise.all(
    [
      [b, 0],
      [b, 1],
      [a, 1],
    ].map(async ([userId, process]) =>
      openTestStream(rooms.addresses[process!]!, { token: await rooms.chat.token(userId!) }),
    ),
  )
  for (const stream of [phone!, laptop!, others!]) await stream.waitFor('reset')
  for (const settings of [{ muted: true }, { pinned: true }, { archived: true }]) {
    phone!.frames.length = 0
    laptop!.frames.length = 0
    expect((await rooms.as(b, 'PUT', `/rooms/${roomId}/settings`, settings)).status).toBe(200)
    for (const stream of [phone!, laptop!])
      await waitFor(() => stream.frames.some(isSettingsChange), {
        what: `a frame for ${Object.keys(settings)}`,
      })
  }
  await rooms.send(a, roomId, 'last')
  await others!.waitFor('message')
  expect(others!.frames.filter(isSettingsChange)).toEqual([])
  for (const stream of [phone!, laptop!, others!]) stream.kill()
})
