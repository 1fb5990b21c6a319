import type { Service } from '@bigtech/service-kit'
import { Counter } from 'prom-client'
import type { Stores } from '../../infrastructure/stores.ts'
import type { SecondFactorRepository } from '../second-factor/second-factor.repository.ts'
import type { SessionEnder } from '../session/session-ender.ts'
import type { Tokens } from '../session/tokens.ts'
import { type AccountRepository, createAccountRepository } from './account.repository.ts'
import { accountRoutes } from './account.routes.ts'
import { type AccountService, createAccountService } from './account.service.ts'
import { createIdentityRepository, type IdentityRepository } from './identity.repository.ts'
import { createPasswordPolicy } from './password-policy.ts'
import { createRecoveryRepository } from './recovery.repository.ts'
import { recoveryRoutes } from './recovery.routes.ts'
import { createRecoveryService } from './recovery.service.ts'
import { createUsernameRepository } from './username.repository.ts'

const DAY_MS = 86_400_000
const USERNAMES_MS = 10 * 60_000
/** Reserves a deleted user's name, so that nobody can impersonate them. */
const KEEP_USERNAMES_DAYS = 90

/** Returns the account lookup for sessions; accounts themselves are wired after sessions. */
export function createLoginFinder({ mysql, outbox }: Stores): AccountRepository['findLogin'] {
  return createAccountRepository(mysql, outbox).findLogin
}

/** Wires accounts: registration, password and email. */
export function createAccounts(options: {
  service: Service
  stores: Stores
  sessions: SessionEnder
  tokens: Tokens
  factors: SecondFactorRepository
  registrationsPerHour: number
  now: () => Date
}): { accounts: AccountService; identities: IdentityRepository } {
  const { service, stores, sessions, tokens, factors, registrationsPerHour, now } = options
  const repository = createAccountRepository(stores.mysql, stores.outbox)
  const policy = createPasswordPolicy(repository.ownWords)
  const recovery = createRecoveryRepository(stores.mysql, stores.outbox, sessions)
  const usernames = createUsernameRepository(stores.mysql, stores.outbox)
  const registered = new Counter({
    name: 'users_registered_total',
    help: 'Sign-ups.',
    registers: [service.metrics],
  })
  const accounts = createAccountService({
    accounts: repository,
    passwords: stores.passwords,
    policy,
    usernames,
    limiter: stores.limiter,
    sessions,
    factors,
    registrationsPerHour,
    onRegistered: () => {
      registered.inc()
      stores.outbox.wake()
    },
    wakeRelay: () => stores.outbox.wake(),
  })
  service.app.register(accountRoutes, { accounts })
  service.app.register(recoveryRoutes, {
    recovery: createRecoveryService({
      ...{ service, recovery, tokens, sessions, policy },
      limiter: stores.limiter,
      passwords: stores.passwords,
      confirmIdentity: accounts.confirmIdentity,
      wakeRelay: () => stores.outbox.wake(),
    }),
  })
  service.every({
    name: 'release usernames, purge links',
    everyMs: USERNAMES_MS,
    run: async () => {
      await repository.releaseUsernames(new Date(now().getTime() - KEEP_USERNAMES_DAYS * DAY_MS))
      await repository.protectUsernames()
      await usernames.release(now())
      await recovery.purge(now())
    },
  })
  return { accounts, identities: createIdentityRepository(stores.mysql) }
}
