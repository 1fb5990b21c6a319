import { type ChildProcess, spawn } from 'node:child_process'
import { once as onceEvent } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type EventOf, friendRequestAccepted } from '@bigtech/contracts'
import { createTestKafka } from '@bigtech/testkit'
import { pino } from 'pino'
import { createKafka, type KafkaConnection } from '../src/kafka.ts'
import { eventRecord, type KafkaRecord } from '../src/record.ts'

export const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })

export const TOPIC = 'friend.events'
export type Accepted = EventOf<typeof friendRequestAccepted>

export interface TestBed {
  readonly kafka: KafkaConnection
  readonly brokers: readonly string[]
  readonly prefix: string
  remove(): Promise<void>
}

/** Creates a connection with a unique topic prefix. */
export async function createTestBed(partitions = 3): Promise<TestBed> {
  const { brokers, topicPrefix: prefix, remove } = await createTestKafka({ partitions })
  const kafka = createKafka({ clientId: 'kafka-test', brokers, topicPrefix: prefix, log })
  return {
    kafka,
    brokers,
    prefix,
    remove: async () => {
      await kafka.close()
      await remove()
    },
  }
}

/** Returns an event of the pair 1:`other`; `n` distinguishes the events of a pair. */
export function accepted(n: number, other = 2): Accepted {
  const payload = { request_id: n + 1, from_user_id: 1, to_user_id: other }
  return friendRequestAccepted.create(payload, { correlationId: `request-${n}` })
}

export function recordOf(event: Accepted): KafkaRecord {
  return eventRecord(friendRequestAccepted, event, 'kafka-test')
}

const children = new Set<ChildProcess>()

/** Runs a script in a separate process. */
export function startProcess(script: URL, settings: object): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(script), JSON.stringify(settings)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Kills a process with SIGKILL and waits for its exit. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await onceEvent(child, 'exit')
}

/** Kills all processes started by a test; for `afterEach`. */
export async function killAll(): Promise<void> {
  await Promise.all([...children].map(kill))
}
