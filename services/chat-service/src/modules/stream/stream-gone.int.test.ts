import { streamPresenceChanged } from '@bigtech/contracts'
import { createFaultProxy, type FaultProxy, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestRooms, type TestRooms, upTo } from '../../../testing/rooms.ts'
import { openTestStream, type TestStream } from '../../../testing/stream.ts'

const GONE_AFTER_MS = 1_500
let rooms: TestRooms
let network: FaultProxy

beforeAll(async () => {
  rooms = await startTestRooms({ STREAM_GONE_AFTER_MS: GONE_AFTER_MS })
  const { hostname, port } = new URL(rooms.addresses[0]!)
  network = await createFaultProxy({ host: hostname, port: Number(port) })
}, 60_000)
afterAll(async () => {
  await network?.close()
  await rooms?.close()
})

async function open(userId: number, acks: boolean, address = rooms.addresses[0]!): Promise<TestStream> {
  const token = await rooms.chat.token(userId)
  const stream = await openTestStream(address, { token, query: acks ? '?acks=1' : '' })
  await stream.waitFor('reset')
  return stream
}

const openStreams = async () => {
  const { body } = await rooms.chat.services[0]!.app.inject('/metrics')
  return Number(/^sse_connections_open\S* (\d+)$/m.exec(body)![1])
}

it('the stream of a client whose network is lost is closed, which frees its slot and sets its user offline', async () => {
  const [user] = await rooms.chat.people(1)
  const stream = await open(user, true, `http://${network.host}:${network.port}`)
  const others = await Promise.all(upTo(9).map(() => open(user, false)))
  const { stream_id } = await stream.waitFor('reset')
  // Acknowledged on a process other than the one that holds the stream, it stays open.
  const until = Date.now() + 2 * GONE_AFTER_MS
  await waitFor(
    async () => {
      expect((await rooms.as(user, 'POST', '/stream/acks', { stream_id }, 1)).status).toBe(204)
      return Date.now() > until
    },
    { intervalMs: GONE_AFTER_MS / 5, timeoutMs: 10 * GONE_AFTER_MS },
  )
  expect(await openStreams()).toBe(10)
  // Packets vanish from here on: the server receives no end of the connection.
  network.freeze()
  await waitFor(async () => (await openStreams()) === 9)
  others.push(await open(user, false))
  expect(others.map(({ ended }) => ended)).toEqual(Array(10).fill(false))
  for (const each of others) each.kill()
  await rooms.chat.eventOf(
    streamPresenceChanged,
    ({ user_id, open_streams }) => user_id === user && open_streams === 0,
  )
}, 40_000)

it('the stream of a client that did not opt into acknowledgements is not closed', async () => {
  const [user] = await rooms.chat.people(1)
  const stream = await open(user, false)
  const until = Date.now() + 2 * GONE_AFTER_MS
  await waitFor(() => Date.now() > until)
  expect(stream.ended).toBe(false)
  stream.kill()
})

it('acknowledgements of another user’s stream are ignored, and an invalid stream id is rejected', async () => {
  const [user, other] = await rooms.chat.people(2)
  const stream = await open(user, true)
  const { stream_id } = await stream.waitFor('reset')
  await waitFor(async () => {
    expect((await rooms.as(other, 'POST', '/stream/acks', { stream_id })).status).toBe(204)
    return stream.ended
  })
  const answer = await rooms.as(user, 'POST', '/stream/acks', { stream_id: 'x' })
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'stream_id' }] } })
})
