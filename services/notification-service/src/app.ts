import { buildService, openMysql, type Service, type ServiceOptions } from '@bigtech/service-kit'
import type { Config } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { contactsConsumers } from './modules/contacts/contacts.consumers.ts'
import { ContactsRepository } from './modules/contacts/contacts.repository.ts'
import { erasureConsumers } from './modules/contacts/erasure.consumers.ts'
import { createDeliveries } from './modules/deliveries/deliveries.module.ts'
import type { DeliveriesRepository } from './modules/deliveries/deliveries.repository.ts'
import type { DeliverySender } from './modules/deliveries/delivery-sender.ts'
import { exportRoutes } from './modules/export/export.routes.ts'
import { ExportService } from './modules/export/export.service.ts'
import { PreferencesRepository } from './modules/preferences/preferences.repository.ts'
import { preferencesRoutes } from './modules/preferences/preferences.routes.ts'
import { roomsConsumers } from './modules/rooms/rooms.consumers.ts'
import { RoomsRepository } from './modules/rooms/rooms.repository.ts'
import { createStreams } from './modules/streams/streams.module.ts'
import { createSubscriptions } from './modules/subscriptions/subscriptions.module.ts'

/** Under load, messages that arrive within this time are planned by one transaction. A push waits for further messages anyway, for longer. */
const GATHER_MS = 400

export interface BuildOptions extends Pick<ServiceOptions, 'keys' | 'logDestination'> {
  /** The clock in milliseconds; set by tests. */
  readonly now?: () => number
}

/** The service and functions that tests call directly. */
export interface NotificationService extends Service {
  readonly sender: DeliverySender
  readonly deliveries: DeliveriesRepository
}

/** Wires notification-service: its store, then its modules. Nothing runs before `start()`. */
export async function buildNotificationService(
  config: Config,
  { now = Date.now, ...options }: BuildOptions = {},
): Promise<NotificationService> {
  const service = await buildService({
    name: 'notification-service',
    title: 'Notification Service',
    description: 'Welcome mails, and push notifications for users without an open stream.',
    config,
    ...options,
  })

  const mysql = openMysql(service, createMysql(config.DATABASE_URL, service.metrics))

  const contacts = new ContactsRepository(mysql)
  const rooms = new RoomsRepository(mysql)
  const preferences = new PreferencesRepository(mysql)
  const streams = createStreams({ service, mysql, now })
  const subscriptions = createSubscriptions({ service, config, mysql })
  const deliveries = createDeliveries({
    ...{ service, config, mysql, contacts, rooms, streams, preferences, now },
    subscriptions: subscriptions.repository,
  })
  const exports = new ExportService({
    ...{ contacts, preferences },
    subscriptions: subscriptions.repository,
    deliveries: deliveries.repository,
  })
  service.app.register(preferencesRoutes, { preferences })
  service.app.register(exportRoutes, { exports })

  // One group for handlers that depend on the order of a user's events.
  service.subscribe(
    'events',
    [
      ...contactsConsumers({
        ...{ mysql, contacts, greet: deliveries.greet, onGreeted: deliveries.onGreeted },
        createPreferences: (tx, userId) => preferences.createInitial(tx, userId),
      }),
      ...roomsConsumers(mysql, rooms),
      ...deliveries.consumers,
      ...subscriptions.consumers,
    ],
    { gatherMs: GATHER_MS },
  )
  service.subscribe(
    'deletions',
    erasureConsumers({
      mysql,
      publisher: service.messaging.publisher,
      erasers: [
        (tx, userId, at) => contacts.erase(tx, userId, at),
        (tx, userId) => rooms.forgetUser(tx, userId),
        (tx, userId) => streams.forgetUser(tx, userId),
        (tx, userId) => preferences.erase(tx, userId),
        (tx, userId) => subscriptions.repository.erase(tx, userId),
        (tx, userId) => deliveries.erase(tx, userId),
      ],
    }),
  )
  return { ...service, sender: deliveries.sender, deliveries: deliveries.repository }
}
