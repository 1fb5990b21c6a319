import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import { createDirectoryRepository } from './directory.repository.ts'
import { directoryRoutes } from './directory.routes.ts'
import { createDirectoryService } from './directory.service.ts'
import { createLookupLimit, type LookupLimit } from './lookup-limit.ts'
import { profileCacheSubscriptions } from './profile-cache.consumers.ts'
import { createProfileCache, type ProfileCache } from './profile-cache.ts'
import { relationSubscriptions } from './relations.consumers.ts'
import { createRelationsRepository } from './relations.repository.ts'
import { createUserListRepository } from './user-list.repository.ts'

export interface DirectoryModule {
  readonly lookups: LookupLimit
  readonly cache: ProfileCache
  /** Returns whether the user is visible to the viewer: active, and has not blocked the viewer. */
  isVisible(viewerId: number, userId: number): Promise<boolean>
}

/** Wires search, and the local copy of friendships and blocks used by it. */
export function createDirectory({ service, stores }: { service: Service; stores: Stores }): DirectoryModule {
  const { mysql, limiter } = stores
  const relations = createRelationsRepository(mysql)
  const lookups = createLookupLimit(limiter, relations)
  const repository = createDirectoryRepository(mysql)
  const cache = createProfileCache({
    redis: stores.redis,
    metrics: service.metrics,
    load: repository.findMany,
  })
  const directory = createDirectoryService({
    directory: repository,
    cache,
    limiter,
    lookups,
  })
  service.subscribe('profile-cache', profileCacheSubscriptions(cache), { startFrom: 'latest' })
  service.subscribe('relations', relationSubscriptions(relations))
  service.app.register(directoryRoutes, { directory, users: createUserListRepository(mysql) })
  return {
    lookups,
    cache,
    isVisible: directory.isVisible,
  }
}
