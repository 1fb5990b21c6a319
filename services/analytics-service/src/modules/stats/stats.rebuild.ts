import { topics } from '@bigtech/contracts'
import { createBroadcastConsumer, type KafkaConnection } from '@bigtech/kafka'
import type { Service } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import { statsConsumers } from './stats.consumers.ts'
import type { StatsRepository } from './stats.repository.ts'
import { dayOf, firstCoveredDay } from './stats.ts'

export interface RebuildOptions {
  readonly kafka: KafkaConnection
  readonly repository: StatsRepository
  readonly log: Service['log']
  readonly now: () => number
}

export interface RebuildResult {
  /** Days before it were left as they were: the topics no longer hold all of their events. */
  readonly from: Date | null
  readonly applied: number
}

const SOURCES = ['user.events', 'friend.events', 'message.events', 'chat.events'] as const
const CONFLICT_TRIES = 20
const WAIT_MS = 1_000

/**
 * Throws the figures away and counts them again from the topics, while the service goes on: both
 * note every event in the same inbox, so that each is counted once, by whoever is first.
 */
export async function rebuildStats(options: RebuildOptions): Promise<RebuildResult> {
  const { kafka, repository, log, now } = options
  const from = await firstDay(kafka, now())
  await repository.clear(from)
  let applied = 0
  let failure: Error | undefined
  const fatal = Promise.withResolvers<void>()
  const consumer = createBroadcastConsumer({
    kafka,
    name: 'analytics-service.rebuild',
    handlers: statsConsumers(async (eventId, at, effect) => {
      if (failure || (from && dayOf(at) < from)) return 'ignored'
      try {
        const outcome = await untilApplied(() => repository.apply(eventId, at, effect))
        if (outcome === 'applied') applied++
        return outcome
      } catch (err) {
        failure = err as Error
        throw err
      }
    }),
    // From the first event that is still there.
    sinceMs: now(),
    log,
    onFatal: (err) => {
      failure = err
      fatal.resolve()
    },
  })
  consumer.start()
  // A consumer that cannot go on never gets ready.
  await Promise.race([consumer.ready, fatal.promise])
  await consumer.stop()
  if (failure) throw new Error('the rebuild is not complete: run it again', { cause: failure })
  return { from, applied }
}

/** Null when every topic still holds everything since its beginning. */
async function firstDay(kafka: KafkaConnection, now: number): Promise<Date | null> {
  const offsets = await Promise.all(SOURCES.map((topic) => kafka.offsets(topic)))
  const isWhole = offsets.flat().every(({ low }) => low === 0)
  if (isWhole) return null
  const retentionMs = Math.min(...SOURCES.map((topic) => topics[topic].retentionMs))
  return firstCoveredDay(new Date(now), retentionMs)
}

/** Waits for a store that is away; the consumer would skip the event. */
async function untilApplied<Result>(apply: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await apply()
    } catch (err) {
      const kind = classifyStoreError(err)
      if (kind !== 'unavailable' && (kind !== 'conflict' || tries >= CONFLICT_TRIES)) throw err
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS))
    }
  }
}
