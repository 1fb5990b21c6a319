import { friendRequestAccepted } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { on } from '../consumer/handlers.ts'
import { type ConsumerRunner, createConsumerRunner } from '../consumer/runner.ts'
import { PermanentError } from '../errors.ts'
import { createPublisher, type Publisher } from '../publisher/publisher.ts'
import { readTopic } from '../read-topic.ts'
import { accepted, createTestBed, log, recordOf, type TestBed, TOPIC } from '../testing/support.ts'
import { runCommand, UsageError } from './command.ts'

let bed: TestBed
let applied: Set<string>
let publisher: Publisher
let healed: boolean
let bystander: string[]
const runners: ConsumerRunner[] = []

beforeEach(async () => {
  bed = await createTestBed()
  applied = new Set()
  publisher = createPublisher({ kafka: bed.kafka })
  healed = false
  bystander = []
})
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.stop()
  await publisher.stop()
  await bed.remove()
})

function run(groupId: string, handler: ReturnType<typeof on>): void {
  const onFatal = (error: Error) => {
    throw error
  }
  const runner = createConsumerRunner({
    kafka: bed.kafka,
    groupId,
    handlers: [handler],
    log,
    publisher,
    onFatal,
  })
  runners.push(runner)
  runner.start()
}

/** A consumer with a bug for odd requests until it is healed, and one that is fine. */
function startConsumers(): void {
  run(
    'buggy',
    on(friendRequestAccepted, async (event) => {
      if (!healed && event.request_id % 2 === 1) throw new PermanentError('a bug')
      if (applied.has(event.event_id)) return 'duplicate'
      applied.add(event.event_id)
      return 'applied'
    }),
  )
  run(
    'fine',
    on(friendRequestAccepted, async (event) => void bystander.push(event.event_id)),
  )
}

async function dlt(...args: string[]): Promise<string[]> {
  const lines: string[] = []
  const print = (line: string) => void lines.push(line)
  expect(await runCommand(args, { kafka: bed.kafka, publisher, print })).toBe(0)
  return lines
}

const effects = async () => [...applied]

describe('dead letters', () => {
  it('are listed, tried dry, and replayed once to the group that gave them up', async () => {
    startConsumers()
    const events = [0, 1, 2, 3].map((n) => accepted(n))
    await publisher.publish(events.map(recordOf))
    await waitFor(() => bystander.length === 4)
    await waitFor(async () => (await effects()).length === 2)
    await waitFor(async () => (await dlt('list')).includes(`${TOPIC}: 2 waiting, 0 replayed`))

    const listed = await dlt('list', '--topic', TOPIC)
    expect(listed).toHaveLength(3)
    expect(listed[0]).toContain(
      `FriendRequestAccepted ${events[0]?.event_id}  buggy  1 attempts  PermanentError: a bug`,
    )
    const [letter] = await dlt('inspect', '--topic', TOPIC, '--event-id', events[2]!.event_id)
    expect(JSON.parse(JSON.parse(letter!).value)).toEqual(events[2])

    healed = true
    const before = (await readTopic(bed.kafka, TOPIC)).length
    expect((await dlt('replay', '--topic', TOPIC, '--all', '--dry-run')).at(-1)).toBe('2 would be replayed')
    expect((await readTopic(bed.kafka, TOPIC)).length).toBe(before)

    await dlt('replay', '--topic', TOPIC, '--event-id', events[0]!.event_id)
    await waitFor(async () => (await effects()).length === 3)
    expect((await dlt('replay', '--topic', TOPIC, '--all')).at(-1)).toBe('1 replayed, 0 failed')
    await waitFor(async () => (await effects()).length === 4)
    expect(await dlt('list')).toContain(`${TOPIC}: 0 waiting, 2 replayed`)
    expect((await dlt('replay', '--topic', TOPIC, '--all')).at(-1)).toBe('0 replayed, 0 failed')

    // Sent a third time by mistake, the inbox refuses it; and the other group was left alone all along.
    await dlt('replay', '--topic', TOPIC, '--all', '--again')
    const sentinel = accepted(8)
    await publisher.publish([recordOf(sentinel)])
    await waitFor(() => bystander.includes(sentinel.event_id))
    expect(bystander).toEqual([...events, sentinel].map(({ event_id }) => event_id))
    await waitFor(async () => (await effects()).includes(sentinel.event_id))
    expect((await effects()).toSorted()).toEqual(
      [...events, sentinel].map(({ event_id }) => event_id).toSorted(),
    )
  })

  it('are not replayed all at once by accident', async () => {
    await expect(dlt('replay', '--topic', TOPIC)).rejects.toBeInstanceOf(UsageError)
    await expect(dlt('replay')).rejects.toBeInstanceOf(UsageError)
    await expect(dlt('explode', '--topic', TOPIC)).rejects.toBeInstanceOf(UsageError)
    await expect(dlt('list', '--nonsense')).rejects.toBeInstanceOf(UsageError)
  })
})
