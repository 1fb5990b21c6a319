import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import type { Tokens } from '../session/tokens.ts'
import { createExportRepository } from './export.repository.ts'
import { exportRoutes } from './export.routes.ts'
import { createExportService } from './export.service.ts'
import { createPartReader, type ProfileOf } from './export-parts.ts'
import { createOwnDataRepository } from './own-data.repository.ts'

/** Longer than a neighbor service may be silent. */
const LEASE_MS = 60_000
const BUILD_EVERY_MS = 5_000
const PURGE_MS = 10 * 60_000

/** Wires data exports: requests, the job that builds them, downloads. */
export function createExports(options: {
  service: Service
  stores: Stores
  tokens: Tokens
  profileOf: ProfileOf
  now: () => Date
}): void {
  const { service, stores, tokens, profileOf, now } = options
  const { mysql, outbox, limiter, neighbours } = stores
  const repository = createExportRepository(mysql, outbox, LEASE_MS)
  const own = createOwnDataRepository(mysql)
  const exports = createExportService({
    exports: repository,
    readPart: createPartReader({ own, profileOf, neighbours: neighbours.exports }),
    bearerOf: async (userId) => {
      const user = await own.activeUser(userId)
      return user && tokens.standIn(user)
    },
    readLink: tokens.readLink,
    limiter,
    log: service.log,
    isStopping: () => service.lifecycle.isStopping,
    wakeBuilder: () => builder.wake(),
    wakeRelay: () => outbox.wake(),
  })
  const builder = service.every({ name: 'data exports', everyMs: BUILD_EVERY_MS, run: exports.buildDue })
  service.every({ name: 'purge data exports', everyMs: PURGE_MS, run: () => repository.purge(now()) })
  service.app.register(exportRoutes, { exports })
}
