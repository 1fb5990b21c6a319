import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import type { AccountService } from '../account/account.service.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import { deletionSubscriptions } from './deletion.consumers.ts'
import { createDeletionRepository } from './deletion.repository.ts'
import { deletionRoutes } from './deletion.routes.ts'
import { createDeletionService } from './deletion.service.ts'

const DAY_MS = 86_400_000
const SAGA_EVERY_MS = 2_000
const REANNOUNCE_MS = 10 * 60_000

/** Wires account deletion: a saga that other services confirm by events (ADR 9). */
export function createDeletions(options: {
  service: Service
  stores: Stores
  sessions: SessionEnder
  accounts: AccountService
  graceDays: number
  forgetInRedis: (userId: number) => Promise<unknown>
}): void {
  const { service, stores, sessions, accounts, graceDays, forgetInRedis } = options
  const repository = createDeletionRepository(stores.mysql, stores.outbox, sessions)
  const deletions = createDeletionService({
    deletions: repository,
    sessions,
    confirmIdentity: accounts.confirmIdentity,
    graceMs: graceDays * DAY_MS,
    forgetInRedis,
    wakeRelay: () => {
      stores.outbox.wake()
      saga.wake()
    },
  })
  const saga = service.every({
    name: 'account deletions',
    everyMs: SAGA_EVERY_MS,
    run: deletions.resumeDeletions,
  })
  service.every({ name: 'reannounce deletions', everyMs: REANNOUNCE_MS, run: deletions.reannounce })
  service.subscribe('deletions', deletionSubscriptions(repository))
  service.app.register(deletionRoutes, { deletions })
}
