import { userSessionRevoked } from '@bigtech/contracts'
import {
  createBroadcastConsumer,
  createConsumerRunner,
  type KafkaConnection,
  on,
  type Publisher,
  type Subscription,
} from '@bigtech/kafka'
import { purgeInbox } from '@bigtech/outbox'
import type { Service } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import type { Mysql } from './mysql.ts'

/** What runs beside the requests: consumers, relays. Starts with the service, stops in its order. */
export interface Worker {
  start(): void
  stop(): Promise<void> | void
}

/** A token lives as long: an older revocation has no token left to refuse. */
const LOOK_BACK_MS = 10 * 60 * 1_000
const PURGE_EVERY_MS = 60 * 60 * 1_000

export interface ConsumerOptions {
  readonly service: Service
  readonly kafka: KafkaConnection
  readonly publisher: Publisher
}

/** One process of the group gets each event; it is applied once, whatever happens. */
export function consumerOf(
  { service, kafka, publisher }: ConsumerOptions,
  groupId: string,
  handlers: readonly Subscription[],
): Worker {
  return createConsumerRunner({
    kafka,
    groupId,
    handlers,
    publisher,
    log: service.log,
    registry: service.metrics,
    onFatal: () => endProcess(service),
    classify: classifyStoreError,
  })
}

/**
 * Every process gets all events: for what it keeps in memory. The process is not ready before it
 * knows the sessions that have ended; it looks back far enough for its other memories as well.
 */
export function liveConsumer(
  { service, kafka }: ConsumerOptions,
  name: string,
  handlers: readonly Subscription[],
): Worker {
  const consumer = createBroadcastConsumer({
    kafka,
    name,
    log: service.log,
    registry: service.metrics,
    sinceMs: LOOK_BACK_MS,
    onFatal: () => endProcess(service),
    handlers: oneAType([
      ...handlers,
      on(userSessionRevoked, async (event) =>
        service.revocations.add(event.session_ids, new Date(event.timestamp)),
      ),
    ]),
  })
  service.readiness.add({
    name: 'revocations',
    ping: async () => {
      if (!consumer.health().caughtUp) throw new Error('has not read the ended sessions yet')
    },
  })
  return consumer
}

/** Several modules listen to the same event: each is called in turn, also when one before it fails. */
function oneAType(handlers: readonly Subscription[]): Subscription[] {
  const byDefinition = Map.groupBy(handlers, ({ definition }) => definition)
  return [...byDefinition].map(([definition, same]) => ({
    definition,
    handle: async (event, ctx) => {
      for (const { handle } of same) {
        await handle(event, ctx).catch((err: unknown) =>
          ctx.log.error({ err, event_type: definition.type }, 'a listener to an event failed'),
        )
      }
    },
  }))
}

/** Deletes inbox rows of events that no topic holds any more. */
export function inboxJanitor(service: Service, mysql: Mysql): Worker {
  let timer: NodeJS.Timeout | undefined
  const purge = () => {
    mysql
      .run('inbox_purge', (db) => purgeInbox(db))
      .catch((err: unknown) => service.log.warn({ err }, 'inbox not purged'))
  }
  return {
    start: () => {
      timer = setInterval(purge, PURGE_EVERY_MS)
      timer.unref()
    },
    stop: () => clearInterval(timer),
  }
}

/** A consumer in a state it cannot leave only looks alive: a new process does better. */
function endProcess(service: Service): void {
  process.exitCode = 1
  void service.lifecycle.stop().finally(() => process.exit(1))
}
