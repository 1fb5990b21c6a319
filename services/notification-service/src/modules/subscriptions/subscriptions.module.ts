import type { Service } from '@bigtech/service-kit'
import type { Config } from '../../config.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { subscriptionsConsumers } from './subscriptions.consumers.ts'
import { SubscriptionsRepository } from './subscriptions.repository.ts'
import { subscriptionsRoutes } from './subscriptions.routes.ts'

/** Wires push subscriptions: created by browsers, ended with their session. */
export function createSubscriptions(options: { service: Service; config: Config; mysql: Mysql }) {
  const { service, config, mysql } = options
  const subscriptions = new SubscriptionsRepository(mysql)
  service.app.register(subscriptionsRoutes, {
    subscriptions,
    vapidPublicKey: config.VAPID_PUBLIC_KEY ?? null,
    allowAnyEndpoint: config.NODE_ENV !== 'production',
  })
  return { repository: subscriptions, consumers: subscriptionsConsumers(subscriptions) }
}
