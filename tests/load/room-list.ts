import { readPositionals } from '@bigtech/service-kit'
import { startTestChat } from '../../services/chat-service/testing/chat.ts'

const usage = `Usage: node tests/load/room-list.ts [ROOMS]
How long the room list takes for somebody in 500 rooms, each with messages.

    BIGTECH_SERVERS_FILE=... node tests/load/room-list.ts [rooms]

Starts chat-service on databases of its own, beside whatever runs, and takes about 40 s. The first
line is the plain query over the connector, in the same run: what the rest is compared with.`

const ROOMS = Number(readPositionals(usage, 1)[0] ?? 500)
const REQUESTS = 200
const IN_FLIGHT = 8
const ME = 7

interface Figures {
  readonly name: string
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

/** Runs `once` a bounded number of times, a few at once. */
async function measure(name: string, once: () => Promise<unknown>, inFlight: number): Promise<Figures> {
  for (let count = 0; count < 10; count++) await once()
  const times: number[] = []
  let left = REQUESTS
  const startedAt = performance.now()
  const lane = async () => {
    while (left-- > 0) {
      const before = performance.now()
      await once()
      times.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const seconds = (performance.now() - startedAt) / 1_000
  times.sort((a, b) => a - b)
  return {
    name,
    perSecond: times.length / seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  }
}

const chat = await startTestChat()
try {
  await seed()
  const sql = `SELECT m.room_id, m.pinned_at, r.last_seq, r.last_activity_at FROM room_members m
    JOIN rooms r ON r.id = m.room_id WHERE m.user_id = ? AND m.archived_at IS NULL`
  const list = async (query: string) => {
    const { status, body } = await chat.as(ME, 'GET', `/rooms?${query}`)
    if (status !== 200) throw new Error(`responded with ${status}`)
    return body as { items: unknown[]; next_cursor: string | null }
  }
  const { next_cursor } = await list('limit=100')
  const figures = [
    await measure('plain query of all places, 1 in flight', () => chat.mysql.query(sql, [ME]), 1),
    await measure('first 20 rooms, 1 in flight', () => list('limit=20'), 1),
    await measure('first 100 rooms, 1 in flight', () => list('limit=100'), 1),
    await measure('second 100 rooms, 1 in flight', () => list(`limit=100&cursor=${next_cursor}`), 1),
    await measure(`first 20 rooms, ${IN_FLIGHT} in flight`, () => list('limit=20'), IN_FLIGHT),
  ]
  report(figures)
} finally {
  await chat.close()
}

/** Rooms with three members and a few messages each; half of them with something unread. */
async function seed(): Promise<void> {
  const numbers = Array.from({ length: ROOMS }, (_, index) => index + 1)
  await chat.mysql.query(
    `INSERT INTO rooms (id, room_type, name, created_by, member_count, last_activity_at, created_at) VALUES ${numbers
      .map((id) => `(${id}, 'group', 'room ${id}', ${ME}, 3, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`)
      .join(',')}`,
  )
  await chat.mysql.query(
    `INSERT INTO room_members (room_id, user_id, role, joined_at) VALUES ${numbers
      .flatMap((id) => [ME, 8, 9].map((userId) => `(${id}, ${userId}, 'member', UTC_TIMESTAMP(3))`))
      .join(',')}`,
  )
  // The limit for one sender is not what is measured: each room has its own.
  const process = await chat.another({ SENDS_PER_10_SECONDS: 100_000 })
  const pending = [...numbers, ...numbers.filter((id) => id % 2 === 0)]
  const lane = async () => {
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      const { status } = await chat.as(8, 'POST', `/messages/${id}`, { content: `message in ${id}` }, process)
      if (status !== 201) throw new Error(`a message in room ${id}: ${status}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
}

function report(figures: readonly Figures[]): void {
  console.log(`\n${ROOMS} rooms, ${REQUESTS} requests each, node ${process.version}\n`)
  console.log('| what | per second | p50 ms | p99 ms |\n|---|---:|---:|---:|')
  for (const { name, perSecond, p50, p99 } of figures) {
    console.log(`| ${name} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} | ${p99.toFixed(1)} |`)
  }
}
