import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import type { LookupLimit } from '../directory/lookup-limit.ts'
import { presenceSubscriptions } from './presence.consumers.ts'
import { createPresenceRelay } from './presence.relay.ts'
import { createPresenceRepository } from './presence.repository.ts'
import { presenceRoutes } from './presence.routes.ts'
import { createPresenceService, type PresenceService } from './presence.service.ts'
import { createPresenceStore, type PresenceStore } from './presence.store.ts'
import type { PresenceTiming } from './presence.ts'

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
  return { store, presence }
}
