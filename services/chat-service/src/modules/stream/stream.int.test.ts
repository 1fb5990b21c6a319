import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../testing/rooms.ts'
import { openTestStream, type Received } from '../../../testing/stream.ts'

let rooms: TestRooms
const address = (index = 0) => rooms.addresses[index]!

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
