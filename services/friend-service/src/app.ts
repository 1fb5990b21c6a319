import {
  buildService,
  openMysql,
  openOutbox,
  openRateLimiter,
  openServiceClient,
  type Service,
  type ServiceOptions,
} from '@bigtech/service-kit'
import type { Config } from './config.ts'
import { createMysql, type QueryListener } from './infrastructure/mysql.ts'
import { createFriendships } from './modules/friendship/friendship.module.ts'
import type { FriendshipService } from './modules/friendship/friendship.service.ts'
import { createPeople } from './modules/people/people.module.ts'

export interface BuildOptions extends Pick<ServiceOptions, 'keys' | 'logDestination'> {
  readonly onQuery?: QueryListener
  /** The clock in milliseconds; set by tests. */
  readonly now?: () => number
}

/** The service and functions that tests call directly. */
export interface FriendService extends Service {
  readonly friendships: FriendshipService
}

/** Wires friend-service: stores, then modules. Nothing runs before `start()`. */
export async function buildFriendService(
  config: Config,
  { now = Date.now, onQuery, ...options }: BuildOptions = {},
): Promise<FriendService> {
  const service = await buildService({
    name: 'friend-service',
    title: 'Friend Service',
    description: 'Friend requests, friendships and blocks.',
    config,
    ...options,
  })

  const mysql = openMysql(service, createMysql(config.DATABASE_URL, service.metrics, onQuery))
  const outbox = openOutbox(service, mysql, config.DATABASE_URL)
  const userService = openServiceClient(service, {
    service: 'user-service',
    baseUrl: config.USER_SERVICE_URL,
  })
  const limiter = openRateLimiter(service)

  const people = createPeople({ service, mysql, userService })
  const friendships = createFriendships({
    service,
    mysql,
    outbox,
    limiter,
    people,
    actionsPerHour: config.FRIEND_ACTIONS_PER_HOUR,
    now,
  })
  return { ...service, friendships }
}
