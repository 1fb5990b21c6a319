import { friendRequestAccepted } from '@bigtech/contracts'
import {
  type ConsumerRunner,
  createConsumerRunner,
  createPublisher,
  on,
  type Publisher,
} from '@bigtech/kafka'
import {
  accepted,
  createTestBed,
  killAll,
  log,
  recordOf,
  startProcess,
  type TestBed,
  TOPIC,
} from '@bigtech/kafka/testing'
import { waitFor } from '@bigtech/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../testing/database.ts'
import { applyOnce } from './inbox.ts'

const GROUP = 'group'
let bed: TestBed
let db: TestDatabase
let publisher: Publisher
let duplicates: number
const runners: ConsumerRunner[] = []

beforeEach(async () => {
  bed = await createTestBed()
  db = await createTestDatabase()
  publisher = createPublisher({ kafka: bed.kafka })
  duplicates = 0
})
afterEach(async () => {
  await killAll()
  for (const runner of runners.splice(0)) await runner.stop()
  await publisher.stop()
  await db.drop()
  await bed.remove()
})

/** Inserts one row per applied event. */
function run(options: { delayMs?: number } = {}): ConsumerRunner {
  const handler = on(friendRequestAccepted, async (event) => {
    const outcome = await applyOnce(db, GROUP, event, (tx) =>
      tx.query('INSERT INTO effect VALUES (?, ?)', [event.event_id, GROUP]),
    )
    if (outcome === 'duplicate') duplicates++
    await new Promise((resolve) => setTimeout(resolve, options.delayMs ?? 0))
    return outcome
  })
  const runner = createConsumerRunner({
    kafka: bed.kafka,
    groupId: GROUP,
    handlers: [handler],
    log,
    publisher,
    sessionTimeoutMs: 6_000,
    onFatal: (error) => {
      throw error
    },
  })
  runners.push(runner)
  runner.start()
  return runner
}

const publish = (count: number, keys: number) =>
  publisher.publish(Array.from({ length: count }, (_, n) => recordOf(accepted(n, 2 + (n % keys)))))
const effects = async () => (await db.mysql.query('SELECT * FROM effect')).length
const committed = async () => {
  const topic = bed.prefix + TOPIC
  const positions = await bed.kafka.driver.admin.committed(bed.prefix + GROUP, [topic])
  return positions.reduce((sum, { offset }) => sum + offset, 0)
}
const expectEachOnce = async (count: number) => {
  expect(await effects()).toBe(count)
  expect(await db.mysql.query('SELECT DISTINCT event_id FROM effect')).toHaveLength(count)
}

it('a consumer with an inbox applies each event once although the group rebalances during processing', async () => {
  await publish(600, 12)
  const first = run({ delayMs: 5 })
  await waitFor(async () => (await effects()) > 60)
  run({ delayMs: 5 })
  await waitFor(async () => (await effects()) > 250, { timeoutMs: 20_000 })
  await first.stop()
  await waitFor(async () => (await committed()) === 600, { timeoutMs: 30_000 })
  await expectEachOnce(600)
}, 60_000)

it('a consumer with an inbox applies an event once although the process dies between effect and commit', async () => {
  await publish(40, 5)
  const settings = { brokers: bed.brokers, prefix: bed.prefix, databaseUrl: db.mysql.url, groupId: GROUP }
  const first = startProcess(new URL('../testing/consumer-process.ts', import.meta.url), {
    ...settings,
    dieAfterEffect: 1,
  })
  await new Promise((resolve) => first.once('exit', resolve))
  // Each partition may have had one in-flight event; none of them is committed.
  const inHand = await effects()
  expect(inHand).toBeGreaterThan(0)
  expect(await committed()).toBe(0)

  run()
  await waitFor(async () => (await committed()) === 40, { timeoutMs: 30_000 })
  expect(duplicates).toBe(inHand)
  await expectEachOnce(40)
}, 60_000)
