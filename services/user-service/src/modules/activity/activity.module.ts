import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import { activitySubscriptions } from './activity.consumers.ts'
import { createActivityRepository } from './activity.repository.ts'
import { activityRoutes } from './activity.routes.ts'

const KEEP_MS = 180 * 86_400_000
const PURGE_MS = 60 * 60_000

/** Wires the activity log. Activities of this service are recorded where they happen. */
export function createActivities({ service, stores }: { service: Service; stores: Stores }): void {
  const activities = createActivityRepository(stores.mysql)
  service.subscribe('activities', activitySubscriptions(stores.mysql))
  service.app.register(activityRoutes, { activities })
  service.every({
    name: 'purge activities',
    everyMs: PURGE_MS,
    run: () => activities.purge(new Date(Date.now() - KEEP_MS)),
  })
}
