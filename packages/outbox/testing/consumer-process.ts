import { friendRequestAccepted } from '@bigtech/contracts'
import { createConsumerRunner, createKafka, on } from '@bigtech/kafka'
import { log } from '@bigtech/kafka/testing'
import { applyOnce } from '../src/inbox.ts'
import { transactions } from './database.ts'

/** Settings of a consumer in a separate process, for tests that kill it. */
interface Settings {
  readonly brokers: string[]
  readonly prefix: string
  readonly databaseUrl: string
  readonly groupId: string
  /** Exits after the effect of this event (1 = the first), before its offset can be committed. */
  readonly dieAfterEffect?: number
}

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings
const { brokers, prefix: topicPrefix, groupId } = settings
const kafka = createKafka({ clientId: `consumer-${process.pid}`, brokers, topicPrefix, log })
const db = transactions(settings.databaseUrl)
let effects = 0

createConsumerRunner({
  kafka,
  groupId,
  log,
  sessionTimeoutMs: 6_000,
  onFatal: () => process.exit(1),
  handlers: [
    on(friendRequestAccepted, async (event) => {
      const outcome = await applyOnce(db, groupId, event, (tx) =>
        tx.query('INSERT INTO effect VALUES (?, ?)', [event.event_id, groupId]),
      )
      if (++effects === settings.dieAfterEffect) process.kill(process.pid, 'SIGKILL')
      return outcome
    }),
  ],
}).start()
