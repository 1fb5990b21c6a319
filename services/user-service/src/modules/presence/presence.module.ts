import type { Service } from '@bigtech/service-kit'
import { Counter } from 'prom-client'
import type { Stores } from '../../infrastructure/stores.ts'
import type { LookupLimit } from '../directory/lookup-limit.ts'
import { flushLastSeen } from './last-seen-buffer.ts'
import { presenceSubscriptions } from './presence.consumers.ts'
import { createPresenceRelay } from './presence.relay.ts'
import { createPresenceRepository } from './presence.repository.ts'
import { presenceRoutes } from './presence.routes.ts'
import { createPresenceService, type PresenceService } from './presence.service.ts'
import { createPresenceStore, type PresenceStore } from './presence.store.ts'
import type { PresenceTiming } from './presence.ts'

/** How late MySQL may know; also how much a loss of Redis loses. */
const FLUSH_MS = 1_000

export interface PresenceModule {
  readonly store: PresenceStore
  readonly presence: PresenceService
}

/** Wires presence: reported by streams, stored in Redis, published as transitions. */
export function createPresence(options: {
  service: Service
  stores: Stores
  lookups: LookupLimit
  timing: PresenceTiming | undefined
}): PresenceModule {
  const { service, stores, lookups, timing } = options
  const store = createPresenceStore(stores.redis, timing, () => relay.wake())
  const relations = createPresenceRepository(stores.mysql)
  const presence = createPresenceService({ presence: store, relations, lookups })
  // From the latest offset: earlier stream reports are outdated.
  service.subscribe('presence', presenceSubscriptions(store), { startFrom: 'latest' })
  const relay = createPresenceRelay(service, { presence: store, relations })
  service.app.register(presenceRoutes, { presence })
  flushRegularly(service, stores)
  return { store, presence }
}

function flushRegularly(service: Service, { redis, mysql }: Stores): void {
  const flushed = new Counter({
    name: 'last_seen_flushed_users_total',
    help: 'Users whose last sign of life was written to MySQL; by `last_seen_flushes_total` how many go with one transaction.',
    registers: [service.metrics],
  })
  const flushes = new Counter({
    name: 'last_seen_flushes_total',
    help: 'Transactions that wrote last signs of life.',
    registers: [service.metrics],
  })
  service.every({
    name: 'flush last seen',
    everyMs: FLUSH_MS,
    run: async () => {
      const users = await redis.run('lastSeenFlush', (client) => flushLastSeen(client, mysql))
      if (users === 0) return
      flushed.inc(users)
      flushes.inc()
    },
  })
}
