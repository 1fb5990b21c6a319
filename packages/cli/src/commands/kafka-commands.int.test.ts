import { type EventOf, friendRequestAccepted } from '@bigtech/contracts'
import {
  type ConsumerRunner,
  createConsumerRunner,
  createKafka,
  createPublisher,
  eventRecord,
  type KafkaConnection,
  on,
  PermanentError,
  type Publisher,
  readTopic,
} from '@bigtech/kafka'
import { createTestKafka, type TestKafka, waitFor } from '@bigtech/testkit'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runProgram } from '../program.ts'

const TOPIC = 'friend.events'
const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })

type Accepted = EventOf<typeof friendRequestAccepted>

let bed: TestKafka
let kafka: KafkaConnection
let publisher: Publisher
let applied: Set<string>
let healed: boolean
let bystander: string[]
const runners: ConsumerRunner[] = []

beforeEach(async () => {
  bed = await createTestKafka()
  vi.stubEnv('KAFKA_BROKERS', bed.brokers.join(','))
  vi.stubEnv('KAFKA_TOPIC_PREFIX', bed.topicPrefix)
  kafka = createKafka({ clientId: 'cli-test', brokers: bed.brokers, topicPrefix: bed.topicPrefix, log })
  publisher = createPublisher({ kafka })
  applied = new Set()
  healed = false
  bystander = []
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const runner of runners.splice(0)) await runner.stop()
  await publisher.stop()
  await kafka.close()
  await bed.remove()
})

/** Runs the command; returns its exit code and output. */
async function bigtech(...args: string[]): Promise<{ code: number; lines: string[]; text: string }> {
  let text = ''
  const code = await runProgram(args, (part) => {
    text += part
  })
  return { code, text, lines: text.trimEnd().split('\n') }
}

/** Returns an event of the pair 1:2; `n` distinguishes the events. */
function accepted(n: number): Accepted {
  const payload = { request_id: n + 1, from_user_id: 1, to_user_id: 2 }
  return friendRequestAccepted.create(payload, { correlationId: `request-${n}` })
}

const publish = (events: readonly Accepted[]) =>
  publisher.publish(events.map((event) => eventRecord(friendRequestAccepted, event, 'cli-test')))

function run(groupId: string, handler: ReturnType<typeof on>): ConsumerRunner {
  const onFatal = (error: Error) => {
    throw error
  }
  const runner = createConsumerRunner({ kafka, groupId, handlers: [handler], log, publisher, onFatal })
  runners.push(runner)
  runner.start()
  return runner
}

/** Starts a consumer that fails for odd request ids until it is repaired, and one that never fails. */
function startConsumers(): void {
  run(
    'failing',
    on(friendRequestAccepted, async (event) => {
      if (!healed && event.request_id % 2 === 1) throw new PermanentError('a bug')
      if (applied.has(event.event_id)) return 'duplicate'
      applied.add(event.event_id)
      return 'applied'
    }),
  )
  run(
    'bystander',
    on(friendRequestAccepted, async (event) => void bystander.push(event.event_id)),
  )
}

const lengthOf = async (topic: string) => (await readTopic(kafka, topic)).length

describe('bigtech dead-letters', () => {
  it('bigtech dead-letters lists dead letters, replays them once to the group that dead-lettered them, and changes nothing without --apply', async () => {
    startConsumers()
    const events = [0, 1, 2, 3].map(accepted)
    await publish(events)
    await waitFor(async () =>
      (await bigtech('dead-letters', 'list')).lines.includes(`${TOPIC}: 2 waiting, 0 settled`),
    )

    const listed = await bigtech('dead-letters', 'list', TOPIC)
    expect(listed.lines).toHaveLength(3)
    expect(listed.lines[0]).toContain(
      `FriendRequestAccepted ${events[0]?.event_id}  failing  1 attempts  PermanentError: a bug`,
    )
    const shown = await bigtech('--json', 'dead-letters', 'show', TOPIC, '--event-id', events[2]!.event_id)
    expect(JSON.parse(JSON.parse(shown.text)[0].value)).toEqual(events[2])

    healed = true
    const before = await lengthOf(TOPIC)
    const dry = await bigtech('dead-letters', 'replay', TOPIC, '--all')
    expect(dry.lines.at(-1)).toContain('Dry run')
    expect(await lengthOf(TOPIC)).toBe(before)

    await bigtech('dead-letters', 'replay', TOPIC, '--event-id', events[0]!.event_id, '--apply')
    await waitFor(() => applied.size === 3)
    expect((await bigtech('dead-letters', 'replay', TOPIC, '--all', '--apply')).text).toContain(
      '1 to replay, done, 0 failed',
    )
    await waitFor(() => applied.size === 4)
    expect((await bigtech('dead-letters', 'list')).lines).toContain(`${TOPIC}: 0 waiting, 2 settled`)

    // The inbox skips both accidental second replays; the other group never receives a replay.
    await bigtech('dead-letters', 'replay', TOPIC, '--all', '--settled', '--apply')
    const sentinel = accepted(8)
    await publish([sentinel])
    await waitFor(() => bystander.includes(sentinel.event_id) && applied.has(sentinel.event_id))
    expect(bystander).toEqual([...events, sentinel].map(({ event_id }) => event_id))
    expect(applied.size).toBe(5)
  })

  it('bigtech dead-letters discards a dead letter, after which list and replay omit it', async () => {
    startConsumers()
    await publish([accepted(0)])
    await waitFor(async () =>
      (await bigtech('dead-letters', 'list')).lines.includes(`${TOPIC}: 1 waiting, 0 settled`),
    )
    await bigtech('dead-letters', 'discard', TOPIC, '--all', '--apply')
    expect((await bigtech('dead-letters', 'list', TOPIC)).lines).toEqual(['0 dead letters'])
    expect((await bigtech('dead-letters', 'list', TOPIC, '--settled')).text).toContain('(discarded 20')
    const before = await lengthOf(TOPIC)
    await bigtech('dead-letters', 'replay', TOPIC, '--all', '--apply')
    expect(await lengthOf(TOPIC)).toBe(before)
  })

  it('bigtech dead-letters rejects replaying everything without --all, an unknown topic and an unknown option with exit code 2', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    expect((await bigtech('dead-letters', 'replay', TOPIC)).code).toBe(2)
    expect((await bigtech('dead-letters', 'list', 'no.such.topic')).code).toBe(2)
    expect((await bigtech('dead-letters', 'list', '--nonsense')).code).toBe(2)
    expect((await bigtech('dead-letters', 'list', TOPIC, '--since', 'yesterday')).code).toBe(2)
    vi.restoreAllMocks()
  })
})

describe('bigtech consumers', () => {
  it('bigtech consumers shows the lag of a group, and rewinds a stopped group to a time, never forward', async () => {
    const seen: string[] = []
    const handler = on(friendRequestAccepted, async (event) => void seen.push(event.event_id))
    const first = run('reader', handler)
    await publish([accepted(0)])
    await waitFor(() => seen.length === 1)
    const between = new Date(Date.now() + 1)
    await waitFor(() => Date.now() > between.getTime() + 5)
    await publish([accepted(1), accepted(2)])
    await waitFor(() => seen.length === 3)
    const lag = async () => JSON.parse((await bigtech('--json', 'consumers', 'lag')).text)
    await waitFor(async () => (await lag())[0]?.records === 0)

    const rewind = ['consumers', 'rewind', 'reader', '--topic', TOPIC, '--to', between.toISOString()]
    expect((await bigtech(...rewind)).text).toContain(`reader would reread 2 records of ${TOPIC}`)
    await first.stop()
    expect((await bigtech(...rewind, '--apply')).code).toBe(0)
    const [behind] = await lag()
    expect(behind).toMatchObject({ group: 'reader', topic: TOPIC, records: 2 })
    const sinceRewind = (Date.now() - between.getTime()) / 1_000
    expect(behind.oldestSeconds).toBeLessThanOrEqual(Math.ceil(sinceRewind))
    expect((await bigtech('consumers', 'lag')).text).toMatch(/reader {2}\S+ {2}2 records, oldest \d+ s/)
    run('reader', handler)
    await waitFor(() => seen.length === 5)

    const later = new Date(Date.now() + 60_000).toISOString()
    const forward = await bigtech('consumers', 'rewind', 'reader', '--topic', TOPIC, '--to', later)
    expect(forward.lines).toEqual(['Dry run: nothing was changed. Pass --apply to perform the change.'])
  })
})

it('bigtech consumers lag shows the age of the oldest uncommitted record, not of the newest one', async () => {
  const handler = on(friendRequestAccepted, async () => undefined)
  const runner = run('late', handler)
  await publish([accepted(0)])
  const lag = async () => JSON.parse((await bigtech('--json', 'consumers', 'lag')).text)
  await waitFor(async () => (await lag()).some(({ records }: { records: number }) => records === 0))
  await runner.stop()
  await publish([accepted(1)])
  const published = Date.now()
  await waitFor(() => Date.now() > published + 2_000)
  await publish([accepted(2)])
  const [late] = await lag()
  expect(late.records).toBe(2)
  expect(late.oldestSeconds).toBeGreaterThanOrEqual(2)
})

describe('bigtech topics', () => {
  it('bigtech topics exits with 1 while topics differ from the contracts, and with 0 after --apply repaired every repairable difference', async () => {
    vi.stubEnv('KAFKA_REPLICATION', '1')
    expect((await bigtech('topics')).code).toBe(1)
    const applied = await bigtech('--json', 'topics', '--apply')
    const { differences, left } = JSON.parse(applied.text)
    expect(differences.length).toBeGreaterThan(0)
    // The test's topics have other numbers of partitions, which must never be changed.
    expect(applied.code).toBe(left === 0 ? 0 : 1)
    const again = JSON.parse((await bigtech('--json', 'topics')).text)
    expect(again.differences.every(({ isRepairable }: { isRepairable: boolean }) => !isRepairable)).toBe(true)
  })
})
