import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import type { AccountService } from '../account/account.service.ts'
import type { Tokens } from '../session/tokens.ts'
import { createRegistrationRepository } from './registration.repository.ts'
import { registrationRoutes } from './registration.routes.ts'
import { createRegistrationService } from './registration.service.ts'

/** Longer than all calls of a registration together may take. */
const LEASE_MS = 60_000
const SAGA_EVERY_MS = 1_000
const PURGE_EVERY_MS = 10 * 60_000
const KEEP_MS = 7 * 86_400_000

/** Wires registration with picture and settings: a saga over media- and notification-service (ADR 30). */
export function createRegistrations(options: {
  service: Service
  stores: Stores
  tokens: Tokens
  accounts: AccountService
  now: () => Date
}): void {
  const { service, stores, tokens, accounts, now } = options
  const repository = createRegistrationRepository(stores.mysql, stores.outbox, LEASE_MS)
  const registrations = createRegistrationService({
    registrations: repository,
    neighbours: stores.neighbours.registrations,
    checkRegistration: accounts.checkRegistration,
    bearerOf: tokens.standIn,
    log: service.log,
    onRegistered: accounts.onRegistered,
    wakeRelay: () => stores.outbox.wake(),
    wakeSaga: () => saga.wake(),
  })
  const saga = service.every({
    name: 'registrations',
    everyMs: SAGA_EVERY_MS,
    run: registrations.resumeRegistrations,
  })
  service.every({
    name: 'purge registrations',
    everyMs: PURGE_EVERY_MS,
    run: () => repository.purge(new Date(now().getTime() - KEEP_MS)),
  })
  service.app.register(registrationRoutes, { registrations })
}
