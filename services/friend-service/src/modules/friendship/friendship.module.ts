import type { RateLimiter, Service, ServiceOutbox } from '@bigtech/service-kit'
import type { Mysql } from '../../infrastructure/mysql.ts'
import { FriendMetrics } from '../../metrics.ts'
import type { PeopleModule } from '../people/people.module.ts'
import { erasureConsumers } from './erasure.consumers.ts'
import { FriendChangesRepository } from './friend-changes.repository.ts'
import { FriendInvitesRepository } from './friend-invites.repository.ts'
import { friendInviteRoutes } from './friend-invites.routes.ts'
import { FriendListsRepository } from './friend-lists.repository.ts'
import { FriendListsService } from './friend-lists.service.ts'
import { FriendNotesRepository } from './friend-notes.repository.ts'
import { FriendshipRepository } from './friendship.repository.ts'
import { friendshipRoutes } from './friendship.routes.ts'
import { FriendshipService } from './friendship.service.ts'

const EXPIRY_MS = 30_000
const REQUEST_ID_PURGE_MS = 10 * 60_000

/** Wires friend requests, friendships and blocks. */
export function createFriendships(options: {
  service: Service
  mysql: Mysql
  outbox: ServiceOutbox
  limiter: RateLimiter
  people: PeopleModule
  actionsPerHour: number
  now: () => number
}): FriendshipService {
  const { service, mysql, outbox, limiter, actionsPerHour, now } = options
  const { people, repository: peopleRepository } = options.people
  const repository = new FriendshipRepository(mysql)
  const changes = new FriendChangesRepository(mysql)
  const notes = new FriendNotesRepository(mysql, outbox, repository, changes)
  const invites = new FriendInvitesRepository(mysql)
  const onCommitted = () => outbox.wake()
  const friendships = new FriendshipService({
    repository,
    notes,
    changes,
    people,
    peopleRepository,
    outbox,
    metrics: new FriendMetrics(service.metrics),
    onCommitted,
    now,
  })
  const lists = new FriendListsService({ repository: new FriendListsRepository(mysql), changes, people, now })
  service.app.register(friendInviteRoutes, { invites, friendships, lists, limiter, now })
  service.every({ name: 'purge invites', everyMs: REQUEST_ID_PURGE_MS, run: () => invites.purge(now()) })
  service.every({
    name: 'purge friend changes',
    everyMs: REQUEST_ID_PURGE_MS,
    run: () => changes.purge(now()),
  })
  service.app.register(friendshipRoutes, { friendships, lists, notes, onCommitted, limiter, actionsPerHour })
  service.subscribe(
    'deletions',
    erasureConsumers({ mysql, repository, notes, changes, invites, people: peopleRepository, outbox }),
  )
  service.every({
    name: 'expire requests',
    everyMs: EXPIRY_MS,
    run: () => friendships.expireDue(service.log),
  })
  service.every({
    name: 'purge request ids',
    everyMs: REQUEST_ID_PURGE_MS,
    run: () => repository.purgeRequestIds(),
  })
  return friendships
}
