import { friendRequestAccepted } from '@bigtech/contracts'
import { createPublisher, readTopic } from '@bigtech/kafka'
import { createTestBed, kill, killAll, log, startProcess, type TestBed, TOPIC } from '@bigtech/kafka/testing'
import { MySqlSession } from '@bigtech/stores'
import { waitFor } from '@bigtech/testkit'
import { createConnection } from 'mariadb'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../testing/database.ts'
import { MySqlRelayLock } from './mysql-lock.ts'
import { createMySqlOutboxRelay } from './mysql-relay.ts'
import { MySqlOutboxStore } from './mysql-store.ts'
import { createOutbox } from './outbox.ts'
import { createOutboxRelay, type OutboxStore } from './relay.ts'

let bed: TestBed
let db: TestDatabase
const outbox = createOutbox('kafka-test')
const RELAY_PROCESS = new URL('../testing/relay-process.ts', import.meta.url)

beforeEach(async () => {
  bed = await createTestBed()
  db = await createTestDatabase()
})
afterEach(async () => {
  await killAll()
  await db.drop()
  await bed.remove()
})

const payload = (n: number, other: number) => ({ request_id: n + 1, from_user_id: 1, to_user_id: other })
const enqueue = (n: number, other = 2) =>
  db.$transaction((tx) =>
    outbox.enqueue(tx, friendRequestAccepted, payload(n, other), { correlationId: `r${n}` }),
  )

async function enqueueMany(count: number, keys: number): Promise<void> {
  for (let n = 0; n < count; n++) await enqueue(n, 2 + (n % keys))
}

const unsent = async () => {
  const [row] = await db.mysql.query<{ n: number }>('SELECT COUNT(*) AS n FROM outbox WHERE sent = 0')
  return Number(row?.n)
}
const allSent = () => waitFor(async () => (await unsent()) === 0, { timeoutMs: 20_000 })

interface Published {
  readonly event_id: string
  readonly request_id: number
  readonly to_user_id: number
}
const published = async () =>
  (await readTopic(bed.kafka, TOPIC)).map(({ value }) => JSON.parse(String(value)) as Published)

/** Returns the request ids per key in log order without duplicates (an event may be published twice). */
function firstSeenPerKey(events: Published[]): Map<number, number[]> {
  const perKey = new Map<number, number[]>()
  for (const { to_user_id, request_id } of events) {
    const seen = perKey.get(to_user_id) ?? []
    if (!seen.includes(request_id)) seen.push(request_id)
    perKey.set(to_user_id, seen)
  }
  return perKey
}

function expectOrdered(events: Published[], count: number, keys: number): void {
  const perKey = firstSeenPerKey(events)
  for (let key = 0; key < keys; key++) {
    const expected = Array.from({ length: count }, (_, n) => n).filter((n) => n % keys === key)
    expect(perKey.get(2 + key)).toEqual(expected.map((n) => n + 1))
  }
}

const LOCK = () => `${db.mysql.database}:outbox:0`
const processSettings = () => ({ brokers: bed.brokers, prefix: bed.prefix, databaseUrl: db.mysql.url })

interface RelayTestOptions {
  registry?: Registry
  keepDays?: number
  purgeEveryMs?: number
  restMs?: number
  /** Runs before each batch is published. */
  beforePublish?: () => Promise<void>
}

function startRelay({ beforePublish, ...options }: RelayTestOptions = {}) {
  const publisher = createPublisher({ kafka: bed.kafka })
  const publishEach: typeof publisher.publishEach = async (records) => {
    await beforePublish?.()
    return publisher.publishEach(records)
  }
  const relay = createMySqlOutboxRelay({
    databaseUrl: db.mysql.url,
    publisher: { ...publisher, publishEach },
    log,
    restMs: 50,
    ...options,
  })
  relay.start()
  const stop = async () => {
    await relay.stop()
    await publisher.stop()
  }
  return { relay, stop }
}

describe('outbox', () => {
  it('the outbox publishes an event if and only if its transaction commits', async () => {
    const { stop } = startRelay()
    const failing = db.$transaction(async (tx) => {
      await outbox.enqueue(tx, friendRequestAccepted, payload(1, 2), { correlationId: 'r' })
      throw new Error('rolled back')
    })
    await expect(failing).rejects.toThrow('rolled back')
    const event = await enqueue(2)
    await allSent()
    await stop()
    expect(await published()).toEqual([event])
  })

  it('the outbox rejects an invalid payload before touching the database', async () => {
    const broken = { request_id: 1, from_user_id: 1, to_user_id: 'two' as unknown as number }
    const statements: string[] = []
    const database = { query: async (sql: string) => void statements.push(sql) }
    await expect(
      outbox.enqueue(database, friendRequestAccepted, broken, { correlationId: 'r' }),
    ).rejects.toThrow('to_user_id')
    expect(statements).toEqual([])
  })

  it('the outbox works with a client that has $executeRawUnsafe, like Prisma', async () => {
    const calls: unknown[][] = []
    const prismaLike = {
      $executeRawUnsafe: async (...args: unknown[]) => {
        calls.push(args)
        return 1
      },
    }
    const event = await outbox.enqueue(prismaLike, friendRequestAccepted, payload(1, 2), {
      correlationId: 'r',
    })
    expect(calls).toHaveLength(1)
    expect(calls[0]?.slice(1, 5)).toEqual([event.event_id, TOPIC, '1:2', 'FriendRequestAccepted'])
  })
})

describe('relay', () => {
  it('the relay publishes a transaction that commits late, after later rows were published', async () => {
    const { stop } = startRelay()
    const late = await createConnection(db.mysql.url.replace('mysql://', 'mariadb://'))
    await late.beginTransaction()
    await outbox.enqueue(late, friendRequestAccepted, payload(0, 9), { correlationId: 'late' })
    await enqueueMany(5, 1)
    await waitFor(async () => (await published()).length === 5)
    await late.commit()
    await late.end()
    await waitFor(async () => (await published()).some(({ to_user_id }) => to_user_id === 9))
    await stop()
  })

  it('two relay processes keep the order per key and publish every event once', async () => {
    const relays = [1, 2].map(() => startProcess(RELAY_PROCESS, { ...processSettings(), batchSize: 7 }))
    await enqueueMany(400, 5)
    await allSent()
    for (const relay of relays) await kill(relay)
    const events = await published()
    expect(events).toHaveLength(400)
    expectOrdered(events, 400, 5)
  })

  it('the relay neither loses nor reorders events when killed between acknowledgement and mark', async () => {
    await enqueueMany(120, 4)
    const first = startProcess(RELAY_PROCESS, { ...processSettings(), batchSize: 10, dieBeforeMark: 4 })
    const gone = new Promise((resolve) => first.once('exit', (_code, signal) => resolve(signal)))
    expect(await gone).toBe('SIGKILL')
    startProcess(RELAY_PROCESS, { ...processSettings(), batchSize: 10 })
    await allSent()
    const events = await published()
    // The acknowledged but unmarked batch is published twice: at-least-once delivery.
    expect(events).toHaveLength(130)
    expectOrdered(events, 120, 4)
  })

  it('the relay steps down when its session is lost, and leads again', async () => {
    const released = Promise.withResolvers<void>()
    const { relay, stop } = startRelay({ beforePublish: () => released.promise })
    await enqueue(0)
    await waitFor(() => relay.holdsLock)
    const [row] = await db.mysql.query<{ id: number }>('SELECT IS_USED_LOCK(?) AS id', [LOCK()])
    await db.mysql.query(`KILL ${row?.id}`)
    released.resolve()
    await waitFor(() => !relay.holdsLock)
    await enqueue(1)
    await allSent()
    await stop()
    expect(new Set((await published()).map(({ request_id }) => request_id))).toEqual(new Set([1, 2]))
  })

  it('the relay releases the lock when nothing is left, so that any process can publish next', async () => {
    const first = startRelay({ restMs: 60_000 })
    const second = startRelay({ restMs: 60_000 })
    const isFree = async () => {
      const [row] = await db.mysql.query<{ free: number }>('SELECT IS_FREE_LOCK(?) AS free', [LOCK()])
      return row?.free === 1
    }
    for (const { relay } of [first, second, first]) {
      await enqueue(1)
      relay.wake()
      await allSent()
      await waitFor(isFree)
    }
    await first.stop()
    await second.stop()
    expect(await published()).toHaveLength(3)
  })

  it('the relay publishes an event that another process stored without waking it', async () => {
    const { stop } = startRelay({ restMs: 200 })
    await enqueue(1)
    await allSent()
    await stop()
    expect(await published()).toHaveLength(1)
  })

  it('the relay publishes an event that was stored without waking it when a query of the process tells of it', async () => {
    const [session, asking] = [new MySqlSession(db.mysql.url), new MySqlSession(db.mysql.url)]
    const answers: boolean[] = []
    const has = async ({ sql, values }: { sql: string; values: readonly unknown[] }) => {
      const [row] = await asking.query<{ found: number }[]>(`SELECT EXISTS (${sql}) AS found`, values)
      answers.push(row?.found === 1)
      return row?.found === 1
    }
    const publisher = createPublisher({ kafka: bed.kafka })
    const relay = createOutboxRelay({
      lock: new MySqlRelayLock(session),
      store: new MySqlOutboxStore(session, { has }),
      publisher,
      log,
      restMs: 50,
    })
    relay.start()
    await waitFor(() => answers.length > 1)
    expect(answers).not.toContain(true)
    await enqueue(1)
    await allSent()
    expect(answers).toContain(true)
    await Promise.all([relay.stop(), publisher.stop()])
    await Promise.all([session.close(), asking.close()])
    expect(await published()).toHaveLength(1)
  })

  it('the relay polls its store once per interval and does not touch the lock while idle', async () => {
    const session = new MySqlSession(db.mysql.url)
    const table = new MySqlOutboxStore(session)
    const askedAt: number[] = []
    const store: OutboxStore<number> = {
      fetchUnsent: (limit) => {
        askedAt.push(performance.now())
        return table.fetchUnsent(limit)
      },
      markSent: (ids) => table.markSent(ids),
      park: (id, reason) => table.park(id, reason),
      backlog: () => table.backlog(),
    }
    const unused = () => Promise.reject(new Error('the lock was requested'))
    const relay = createOutboxRelay({
      lock: { tryLock: unused, isHeld: unused, unlock: async () => {} },
      store,
      publisher: createPublisher({ kafka: bed.kafka }),
      log,
      restMs: 100,
    })
    relay.start()
    await waitFor(() => askedAt.length >= 5)
    await relay.stop()
    await session.close()
    // A timer may fire up to a millisecond early.
    const rests = askedAt.slice(1).map((at, index) => at - askedAt[index]!)
    expect(Math.min(...rests)).toBeGreaterThan(98)
    expect(rests.length).toBeGreaterThan(0)
  })

  it('the relay publishes nothing while another session holds the lock', async () => {
    const other = await createConnection(db.mysql.url.replace('mysql://', 'mariadb://'))
    await other.query('SELECT GET_LOCK(?, 0)', [LOCK()])
    const { relay, stop } = startRelay()
    await enqueue(1)
    // Longer than the polling interval of an idle relay (1 s), after which nothing may have happened.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(relay.holdsLock).toBe(false)
    expect(await unsent()).toBe(1)
    await other.end()
    await allSent()
    await stop()
  })

  it('the relay parks a row rejected by Kafka and continues with the other rows of its key', async () => {
    const registry = new Registry()
    const { stop } = startRelay({ registry })
    await db.mysql.query(
      'INSERT INTO outbox (event_id, topic, msg_key, event_type, payload, headers, created_at) VALUES (UUID(), ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))',
      [TOPIC, '1:2', 'FriendRequestAccepted', 'x'.repeat(1_000_000), '{}'],
    )
    const event = await enqueue(1)
    await allSent()
    await stop()
    expect(await published()).toEqual([event])
    const parked = await db.mysql.query<{ parked_reason: string }>('SELECT * FROM outbox WHERE sent = 2')
    expect(parked).toHaveLength(1)
    expect(parked[0]?.parked_reason).toMatch(/RecordRejected: 1000\d+ bytes/)
    expect((await registry.getSingleMetric('outbox_parked_total')?.get())?.values[0]?.value).toBe(1)
  })

  it('the relay deletes published rows after the retention period and keeps the others', async () => {
    const { stop } = startRelay({ keepDays: 3, purgeEveryMs: 100 })
    await enqueueMany(4, 1)
    await allSent()
    await db.mysql.query('UPDATE outbox SET created_at = created_at - INTERVAL 4 DAY ORDER BY id LIMIT 3')
    await waitFor(async () => (await db.mysql.query('SELECT id FROM outbox')).length === 1)
    await stop()
  })
})
