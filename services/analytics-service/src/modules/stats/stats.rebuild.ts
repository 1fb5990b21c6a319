import { topics } from '@bigtech/contracts'
import { createBroadcastConsumer, type KafkaConnection, readFirstRecords } from '@bigtech/kafka'
import type { Service } from '@bigtech/service-kit'
import { classifyStoreError } from '@bigtech/stores'
import { statsConsumers } from './stats.consumers.ts'
import type { StatsRepository } from './stats.repository.ts'
import { dayOf, firstCoveredDay, type TotalName } from './stats.ts'

export interface RebuildOptions {
  readonly kafka: KafkaConnection
  readonly repository: StatsRepository
  readonly log: Service['log']
  readonly now: () => number
}

export interface RebuildPlan {
  /** Days before it are unchanged; null: every day is rebuilt. */
  readonly from: Date | null
  /** Figures whose events are no longer on the topics. */
  readonly lost: readonly LostFigures[]
}

interface LostFigures {
  readonly topic: string
  readonly figuresFrom: Date
  /** Null: the topic is empty. */
  readonly eventsFrom: Date | null
}

/** The source topics of each figure. */
const sources = {
  'user.events': ['sign_ups', 'logins', 'accounts_deleted'],
  'friend.events': ['friend_requests', 'friend_requests_accepted', 'friend_requests_rejected', 'blocks'],
  'message.events': ['messages'],
  'chat.events': ['rooms_created'],
} as const satisfies Partial<Record<keyof typeof topics, readonly TotalName[]>>

type Source = keyof typeof sources
const SOURCES = Object.keys(sources) as Source[]
const CONFLICT_TRIES = 20
const WAIT_MS = 1_000

/**
 * Deletes the figures and recounts them from the topics while the service keeps counting: both record every
 * event in the same inbox, so that each is counted once.
 */
export async function rebuildStats(options: RebuildOptions, from: Date | null): Promise<{ applied: number }> {
  const { kafka, repository, log, now } = options
  await repository.clear(from)
  let applied = 0
  let failure: Error | undefined
  const fatal = Promise.withResolvers<void>()
  const consumer = createBroadcastConsumer({
    kafka,
    name: 'analytics-service.rebuild',
    handlers: statsConsumers(async (events) => {
      const wanted = events.filter(({ at }) => !from || dayOf(at) >= from)
      if (failure || wanted.length === 0) return 'ignored'
      try {
        const outcome = await untilApplied(() => repository.apply(wanted))
        if (outcome === 'applied') applied += wanted.length
        return outcome
      } catch (err) {
        failure = err as Error
        throw err
      }
    }),
    // Starts at the oldest retained event.
    sinceMs: now(),
    log,
    onFatal: (err) => {
      failure = err
      fatal.resolve()
    },
  })
  consumer.start()
  // A permanently failed consumer never becomes ready.
  await Promise.race([consumer.ready, fatal.promise])
  await consumer.stop()
  if (failure) throw new Error('the rebuild is not complete: run it again', { cause: failure })
  return { applied }
}

/**
 * Determines the first day that can be recounted, and finds figures that would be lost because their events
 * are gone. Read-only.
 *
 * @param wanted the first day to rebuild; days that the topics do not cover completely are excluded anyway
 */
export async function planRebuild(options: RebuildOptions, wanted?: Date): Promise<RebuildPlan> {
  const { kafka, repository, now } = options
  const covered = await firstDay(kafka, now())
  const from = wanted && (!covered || wanted > covered) ? wanted : covered
  const lost: LostFigures[] = []
  for (const topic of SOURCES) {
    const figuresFrom = await repository.firstDayOf(sources[topic], from)
    if (!figuresFrom) continue
    const eventsFrom = await oldestDay(kafka, topic)
    if (!eventsFrom || eventsFrom > figuresFrom) lost.push({ topic, figuresFrom, eventsFrom })
  }
  return { from, lost }
}

/** Returns the day of the oldest event on a topic. */
async function oldestDay(kafka: KafkaConnection, topic: Source): Promise<Date | null> {
  const records = await readFirstRecords(kafka, topic)
  const times = records.map(({ value }) => timeOf(value)).filter((time) => !Number.isNaN(time))
  return times.length === 0 ? null : dayOf(new Date(Math.min(...times)))
}

function timeOf(value: Buffer | null): number {
  try {
    return Date.parse((JSON.parse(value?.toString() ?? '{}') as { timestamp: string }).timestamp)
  } catch {
    return Number.NaN
  }
}

/** Returns the first rebuildable day; null when every topic is complete. */
async function firstDay(kafka: KafkaConnection, now: number): Promise<Date | null> {
  const offsets = await Promise.all(SOURCES.map((topic) => kafka.offsets(topic)))
  const isWhole = offsets.flat().every(({ low }) => low === 0)
  if (isWhole) return null
  const retentionMs = Math.min(...SOURCES.map((topic) => topics[topic].retentionMs))
  return firstCoveredDay(new Date(now), retentionMs)
}

/** Waits for an unavailable store, because the consumer would skip the event. */
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
