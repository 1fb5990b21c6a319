import { pollRevocations, type Service } from '@bigtech/service-kit'
import { Gauge } from 'prom-client'
import type { Config } from '../../config.ts'
import type { SigningKeys } from '../../infrastructure/signing-keys.ts'
import { ignoreOutage, type Stores } from '../../infrastructure/stores.ts'
import type { AccountRepository } from '../account/account.repository.ts'
import type { PresenceService } from '../presence/presence.service.ts'
import type { SecondFactors } from '../second-factor/second-factor.module.ts'
import { createLoginGuard, type LoginGuard } from './login-guard.ts'
import { RevocationNews } from './revocation-news.ts'
import { createRevocationsRepository } from './revocations.repository.ts'
import { createSessionRepository } from './session.repository.ts'
import { sessionRoutes } from './session.routes.ts'
import { createSessionService } from './session.service.ts'
import { createSessionEnder, type SessionEnder } from './session-ender.ts'
import { createSessionMetrics } from './session-metrics.ts'
import { createSignInService, type SignInService } from './sign-in.service.ts'
import { createTokens, type Tokens } from './tokens.ts'

const DAY_MS = 86_400_000
const PURGE_MS = 10 * 60_000
const KEEP_REVOCATIONS_MS = 60 * 60_000
const KEEP_ENDED_SESSIONS_DAYS = 30

export interface SessionModule {
  readonly ender: SessionEnder
  readonly guard: LoginGuard
  readonly tokens: Tokens
  readonly signIn: SignInService
}

/** Wires sessions: sign-in, refresh, sign-out, and ended sessions. */
export function createSessions(options: {
  service: Service
  stores: Stores
  config: Config
  keys: SigningKeys
  presence: PresenceService
  findLogin: AccountRepository['findLogin']
  secondFactors: SecondFactors
  loginBaseWaitMs: number | undefined
  now: () => Date
}): SessionModule {
  const { service, stores, config, keys, presence, findLogin, now } = options
  const { mysql, redis, outbox, passwords, limiter } = stores
  const wakeRelay = () => outbox.wake()
  const guard = createLoginGuard(redis, {
    freeAttemptsPerIp: config.LOGIN_FREE_ATTEMPTS_PER_IP,
    baseWaitMs: options.loginBaseWaitMs,
  })
  const ender = createSessionEnder({
    outbox,
    revocations: service.revocations,
    wakeRelay,
    onEnded: (userId, sessionIds) => ignoreOutage(service, presence.sessionsEnded(userId, sessionIds)),
    metrics: service.metrics,
  })
  const repository = createSessionRepository(mysql, outbox, ender)
  const tokens = createTokens(service.app.jwt, keys)
  const metrics = createSessionMetrics(service.metrics)
  const shared = { sessions: repository, tokens, ender, metrics, now }
  const sessions = createSessionService(shared)
  const { factors, challenges, passkeys } = options.secondFactors
  const signIn = createSignInService({
    ...shared,
    ...{ findLogin, passwords, guard, limiter, factors, challenges, passkeys, wakeRelay },
  })
  const revocations = createRevocationsRepository(mysql)
  const news = new RevocationNews(revocations, service.revocations)
  service.lifecycle.onStop('streams', 'waiting services', () => news.stop())
  service.app.register(sessionRoutes, { sessions, signIn, revocations: news, publicKeys: keys.publicKeys })
  // Other processes of this service end sessions too; requests check this process's memory only.
  service.onStart(() => {
    const polling = pollRevocations(
      { read: revocations.since, isNew: revocations.isNew },
      service.revocations,
    )
    service.lifecycle.onStop('http', 'revocation polling', () => polling.stop())
  })
  service.every({
    name: 'purge sessions',
    everyMs: PURGE_MS,
    run: async () => {
      await repository.purge(new Date(now().getTime() - KEEP_ENDED_SESSIONS_DAYS * DAY_MS))
      await revocations.purge(new Date(now().getTime() - KEEP_REVOCATIONS_MS))
    },
  })
  measureKeyAge(service, keys)
  return { ender, guard, tokens, signIn }
}

function measureKeyAge(service: Service, keys: SigningKeys): void {
  new Gauge({
    name: 'signing_key_age_seconds',
    help: 'Age of the key that signs access tokens.',
    registers: [service.metrics],
    collect() {
      this.set((Date.now() - keys.createdAt.getTime()) / 1_000)
    },
  })
}
