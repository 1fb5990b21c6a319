import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import { createDirectoryRepository } from './directory.repository.ts'
import { directoryRoutes } from './directory.routes.ts'
import { createDirectoryService } from './directory.service.ts'
import { createLookupLimit, type LookupLimit } from './lookup-limit.ts'
import { relationSubscriptions } from './relations.consumers.ts'
import { createRelationsRepository } from './relations.repository.ts'

/** Wires search, and the local copy of friendships and blocks that it respects. */
export function createDirectory({ service, stores }: { service: Service; stores: Stores }): LookupLimit {
  const { mysql, limiter } = stores
  const relations = createRelationsRepository(mysql)
  const lookups = createLookupLimit(limiter, relations)
  const directory = createDirectoryService({
    directory: createDirectoryRepository(mysql),
    limiter,
    lookups,
  })
  service.subscribe('relations', relationSubscriptions(relations))
  service.app.register(directoryRoutes, { directory })
  return lookups
}
