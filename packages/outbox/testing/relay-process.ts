import { createKafka, createPublisher } from '@bigtech/kafka'
import { log } from '@bigtech/kafka/testing'
import { MySqlSession } from '@bigtech/stores'
import { MySqlRelayLock } from '../src/mysql-lock.ts'
import { MySqlOutboxStore } from '../src/mysql-store.ts'
import { createOutboxRelay, type OutboxStore } from '../src/relay.ts'

/** Settings of a relay in a separate process, for tests that kill it. */
interface Settings {
  readonly brokers: string[]
  readonly prefix: string
  readonly databaseUrl: string
  readonly batchSize: number
  /** Exits between the acknowledgement and the mark of this batch (1 = the first). */
  readonly dieBeforeMark?: number
}

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings
const { brokers, prefix: topicPrefix } = settings
const kafka = createKafka({ clientId: `relay-${process.pid}`, brokers, topicPrefix, log })
const session = new MySqlSession(settings.databaseUrl)
const table = new MySqlOutboxStore(session)
let batches = 0
const store: OutboxStore<number> = {
  fetchUnsent: (limit) => table.fetchUnsent(limit),
  markSent: (ids) => {
    if (++batches === settings.dieBeforeMark) process.kill(process.pid, 'SIGKILL')
    return table.markSent(ids)
  },
  park: (id, reason) => table.park(id, reason),
  backlog: () => table.backlog(),
}
const relay = createOutboxRelay({
  lock: new MySqlRelayLock(session),
  store,
  publisher: createPublisher({ kafka }),
  log,
  batchSize: settings.batchSize,
  restMs: 100,
})
relay.start()
