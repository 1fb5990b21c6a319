import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import type { DirectoryModule } from '../directory/directory.module.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import { createModerationRepository } from './moderation.repository.ts'
import { moderationRoutes } from './moderation.routes.ts'
import { createModerationService } from './moderation.service.ts'

/** Wires reports and the decisions of moderators. */
export function createModeration(options: {
  service: Service
  stores: Stores
  sessions: SessionEnder
  isVisible: DirectoryModule['isVisible']
}): void {
  const { service, stores, sessions, isVisible } = options
  const moderation = createModerationService({
    moderation: createModerationRepository(stores.mysql, stores.outbox, sessions),
    messages: stores.neighbours.messages,
    isVisible,
    limiter: stores.limiter,
    sessions,
    wakeRelay: () => stores.outbox.wake(),
  })
  service.app.register(moderationRoutes, { moderation })
}
