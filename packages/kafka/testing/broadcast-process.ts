import { friendRequestAccepted } from '@bigtech/contracts'
import { createBroadcastConsumer } from '../src/consumer/broadcast.ts'
import { on } from '../src/consumer/handlers.ts'
import { createKafka } from '../src/kafka.ts'
import { log } from './support.ts'

/** Settings of a broadcast consumer in a separate process, for tests that kill it. */
interface Settings {
  readonly brokers: string[]
  readonly prefix: string
  readonly sessionTimeoutMs: number
}

const { brokers, prefix: topicPrefix, sessionTimeoutMs } = JSON.parse(process.argv[2] ?? '{}') as Settings
const consumer = createBroadcastConsumer({
  kafka: createKafka({ clientId: `broadcast-${process.pid}`, brokers, topicPrefix, log }),
  name: 'test',
  handlers: [on(friendRequestAccepted, async () => {})],
  sinceMs: 60_000,
  sessionTimeoutMs,
  log,
  onFatal: () => process.exit(1),
})
consumer.start()
const report = setInterval(() => {
  if (!consumer.health().ok) return
  clearInterval(report)
  process.send?.('listens')
}, 20)
