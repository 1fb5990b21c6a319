import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { onlineStatusChanged, uuidv7 } from '@bigtech/contracts'
import { eventRecord, type KafkaRecord, RecordRejected } from '@bigtech/kafka'
import type { Service } from '@bigtech/service-kit'
import { Gauge } from 'prom-client'
import type { PresenceRepository } from './presence.repository.ts'
import type { PresenceStore } from './presence.store.ts'
import type { PresenceChange, PresenceVisibility } from './presence.ts'

const EVERY_MS = 1_000
/** Batching interval of transitions; also the interval for retrying to acquire the lock. */
const GATHER_MS = 100
/** Longer than any publish: nobody takes over while the holder is publishing. */
const LOCK_MS = 15_000
const BATCH = 200

interface RelayDeps {
  readonly presence: PresenceStore
  readonly relations: PresenceRepository
}

/**
 * Starts two jobs of every process: marking users offline when their time is up (Redis assigns each to one
 * process), and publishing the transitions (one process at a time, at least once).
 *
 * @returns `wake`, to be called after a possible transition
 */
export function createPresenceRelay(service: Service, deps: RelayDeps): { wake(): void } {
  const { presence } = deps
  const holder = uuidv7()
  new Gauge({
    name: 'online_users_count',
    help: 'Users currently online. The same on every instance: use the maximum, not the sum.',
    registers: [service.metrics],
    async collect() {
      this.set(await presence.countOnline().catch(() => Number.NaN))
    },
  })
  service.every({ name: 'presence sweep', everyMs: EVERY_MS, run: () => presence.sweep() })
  const job = service.every({
    name: 'presence relay',
    everyMs: EVERY_MS,
    run: async () => {
      while (!service.lifecycle.isStopping && (await presence.waiting(1)).length > 0) {
        if (!(await presence.holdRelay(holder, LOCK_MS))) await delay(GATHER_MS)
        else if (!(await publishWaiting(service, deps).finally(() => presence.releaseRelay(holder)))) return
      }
    },
  })
  service.lifecycle.onStop('producers', 'presence relay lock', () =>
    presence.releaseRelay(holder).catch(() => undefined),
  )
  let isPlanned = false
  return {
    wake: () => {
      if (isPlanned) return
      isPlanned = true
      setTimeout(() => {
        isPlanned = false
        job.wake()
      }, GATHER_MS).unref()
    },
  }
}

/** Publishes pending transitions. Returns false when Kafka did not accept all of them. */
async function publishWaiting(service: Service, { presence, relations }: RelayDeps): Promise<boolean> {
  const changes = await presence.waiting(BATCH)
  if (changes.length === 0) return true
  const visibilities = await relations.visibilities(changes.map(({ userId }) => userId))
  // Omits users deleted in the meantime, for whom UserDeleted is sufficient.
  const records = changes.flatMap((change) => {
    const visibility = visibilities.get(change.userId)
    return visibility ? [{ change, record: recordOf(change, visibility, service.name) }] : []
  })
  const outcomes = await service.messaging.publisher.publishEach(records.map(({ record }) => record))
  const waiting = new Set<PresenceChange>()
  for (const [index, outcome] of outcomes.entries()) {
    const { change } = records[index]!
    if (outcome instanceof RecordRejected) service.log.error({ err: outcome, change }, 'presence rejected')
    else if (outcome) waiting.add(change)
  }
  const done = changes.filter((change) => !waiting.has(change))
  await presence.published(done.map(({ id }) => id))
  return waiting.size === 0
}

function recordOf(change: PresenceChange, visibility: PresenceVisibility, source: string): KafkaRecord {
  const { id, userId, online, lastSeenAt } = change
  const payload = { user_id: userId, online, last_seen_at: lastSeenAt.toISOString(), visibility }
  const timestamp = new Date(Number(id.split('-')[0]))
  const eventId = eventIdOf(change)
  const event = onlineStatusChanged.create(payload, { correlationId: eventId, eventId, timestamp })
  return eventRecord(onlineStatusChanged, event, source)
}

/** Returns a deterministic id: a transition published twice is the same event, and consumers drop the duplicate. */
function eventIdOf({ id, userId }: PresenceChange): string {
  const hex = createHash('sha256').update(`presence:${id}:${userId}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
