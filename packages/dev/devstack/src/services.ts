import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { PortName } from './ports.ts'

/**
 * The processes of the stack besides the servers, as data: adding a service means adding a row.
 * `environment` names the shared settings (environment.ts) of a process besides the common ones.
 */
export interface ServiceRow {
  name: string
  folder: string
  entry: string
  port: PortName
  /** Port of /ready, if not the client port. */
  adminPort?: PortName
  /** Its MySQL database with two accounts: `<account>` for the service, `<account>_owner` for migrations. */
  database?: { name: string; account: string }
  /** Its MongoDB database. */
  mongo?: string
  /** Number of its Redis database. */
  redis?: number
  environment: readonly EnvironmentPart[]
  /** Higher orders are stopped first. */
  order: number
  /** A further process of another row's package, which owns migrations and generated code. */
  partOf?: string
}

export type EnvironmentPart =
  | 'kafka'
  | 'tokens'
  | 'signing'
  | 'google'
  | 'neighbours'
  | 'mail'
  | 'push'
  | 'operator'
  | 'gateway'
  | 'objects'
  | 'audio'
  | 'analysis'

const SERVICE_ORDER = 20
export const GATEWAY_ORDER = 30

export const services: readonly ServiceRow[] = [
  {
    name: 'user-service',
    folder: 'services/user-service',
    entry: 'src/server.ts',
    port: 'user',
    database: { name: 'bigtech_user', account: 'user_service' },
    redis: 0,
    environment: ['kafka', 'tokens', 'signing', 'google', 'neighbours'],
    order: SERVICE_ORDER,
  },
  {
    name: 'friend-service',
    folder: 'services/friend-service',
    entry: 'src/server.ts',
    port: 'friend',
    database: { name: 'bigtech_friend', account: 'friend_service' },
    environment: ['kafka', 'tokens', 'neighbours'],
    order: SERVICE_ORDER,
  },
  {
    name: 'chat-service',
    folder: 'services/chat-service',
    entry: 'src/server.ts',
    port: 'chat',
    database: { name: 'bigtech_chat', account: 'chat_service' },
    mongo: 'bigtech_chat',
    redis: 1,
    environment: ['kafka', 'tokens', 'neighbours'],
    order: SERVICE_ORDER,
  },
  {
    name: 'notification-service',
    folder: 'services/notification-service',
    entry: 'src/server.ts',
    port: 'notification',
    database: { name: 'bigtech_notification', account: 'notification_service' },
    redis: 2,
    environment: ['kafka', 'tokens', 'neighbours', 'mail', 'push'],
    order: SERVICE_ORDER,
  },
  {
    name: 'analytics-service',
    folder: 'services/analytics-service',
    entry: 'src/server.ts',
    port: 'analytics',
    database: { name: 'bigtech_analytics', account: 'analytics_service' },
    environment: ['kafka', 'tokens', 'neighbours', 'operator'],
    order: SERVICE_ORDER,
  },
  {
    name: 'media-service',
    folder: 'services/media-service',
    entry: 'src/web.ts',
    port: 'media',
    database: { name: 'bigtech_media', account: 'media_service' },
    environment: ['kafka', 'tokens', 'neighbours', 'objects', 'operator', 'audio', 'analysis'],
    order: SERVICE_ORDER,
  },
  {
    name: 'media-worker',
    folder: 'services/media-service',
    entry: 'src/worker.ts',
    port: 'mediaWorker',
    database: { name: 'bigtech_media', account: 'media_service' },
    environment: ['kafka', 'tokens', 'neighbours', 'objects', 'audio', 'analysis'],
    order: SERVICE_ORDER,
    partOf: 'media-service',
  },
  {
    name: 'analysis-service',
    folder: 'services/analysis-service',
    entry: 'src/server.ts',
    port: 'analysis',
    environment: ['audio', 'analysis'],
    order: SERVICE_ORDER,
  },
  {
    name: 'gateway',
    folder: 'packages/dev/gateway',
    entry: 'src/server.ts',
    port: 'gateway',
    adminPort: 'gatewayAdmin',
    redis: 3,
    environment: ['tokens', 'neighbours', 'gateway'],
    order: GATEWAY_ORDER,
  },
]

/** Returns the services present in this checkout. */
export function presentServices(root: string): ServiceRow[] {
  return services.filter((service) => existsSync(join(root, service.folder, service.entry)))
}
