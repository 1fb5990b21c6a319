import { buildService, type Service, type ServiceOptions } from '@bigtech/service-kit'
import { type Config, resolveConfig } from './config.ts'
import { readSigningKeys, type SigningKeys } from './infrastructure/signing-keys.ts'
import { ignoreOutage, openStores } from './infrastructure/stores.ts'
import { createAccounts, createLoginFinder } from './modules/account/account.module.ts'
import { createActivities } from './modules/activity/activity.module.ts'
import { createDeletions } from './modules/deletion/deletion.module.ts'
import { createDirectory } from './modules/directory/directory.module.ts'
import { createExports } from './modules/export/export.module.ts'
import { createGoogle } from './modules/google/google.module.ts'
import { createModeration } from './modules/moderation/moderation.module.ts'
import { createPresence } from './modules/presence/presence.module.ts'
import type { PresenceTiming } from './modules/presence/presence.ts'
import { createProfiles } from './modules/profile/profile.module.ts'
import { createRegistrations } from './modules/registration/registration.module.ts'
import {
  createSecondFactorSettings,
  createSecondFactors,
} from './modules/second-factor/second-factor.module.ts'
import { createSessions } from './modules/session/session.module.ts'
import { ACCESS_TOKEN_SECONDS } from './modules/session/session.ts'

export interface UserServiceOptions extends Pick<ServiceOptions, 'logDestination'> {
  /** Replaces the keys in JWT_PRIVATE_KEY_FILE. */
  readonly signingKeys?: SigningKeys
  /** Shortened in tests. */
  readonly presenceTiming?: PresenceTiming
  /** The first wait after failed sign-ins; extended in tests. */
  readonly loginBaseWaitMs?: number
  readonly now?: () => Date
}

/** Wires user-service: stores, then modules. Nothing runs before `start()`. */
export async function buildUserService(
  config: Config,
  {
    signingKeys,
    presenceTiming,
    loginBaseWaitMs,
    now = () => new Date(),
    ...options
  }: UserServiceOptions = {},
): Promise<Service> {
  const { workers, registrationsPerHour } = resolveConfig(config)
  const keys = signingKeys ?? (await readSigningKeys(config.JWT_PRIVATE_KEY_FILE))
  const service = await buildService({
    name: 'user-service',
    title: 'User Service',
    description: 'Accounts, sessions, profiles, search, presence.',
    config,
    keys: keys.verifyKeys,
    signing: { ...keys.signer, expiresInSeconds: ACCESS_TOKEN_SECONDS },
    ...options,
  })

  const stores = await openStores(service, config, workers)

  const { lookups, cache, isVisible } = createDirectory({ service, stores })
  const { presence, store } = createPresence({ service, stores, lookups, timing: presenceTiming })
  const secondFactors = createSecondFactors({ stores, publicUrl: config.PUBLIC_URL, now })
  const {
    ender: sessions,
    guard,
    tokens,
    signIn,
  } = createSessions({
    ...{ service, stores, config, keys, presence, loginBaseWaitMs, now },
    ...{ findLogin: createLoginFinder(stores), secondFactors },
  })
  const { factors } = secondFactors
  const { accounts, identities } = createAccounts({
    ...{ service, stores, sessions, tokens, factors, registrationsPerHour, now },
  })
  const { confirmIdentity } = accounts
  createSecondFactorSettings({ service, stores, secondFactors, confirmIdentity, now })
  createRegistrations({ service, stores, tokens, accounts, now })
  createGoogle({ service, stores, config, accounts, identities, signIn })
  createActivities({ service, stores })
  createModeration({ service, stores, sessions, isVisible })
  const forgetInRedis = (userId: number) =>
    Promise.all([store.forget(userId), guard.forget(userId), cache.forget(userId)])
  const graceDays = config.DELETION_GRACE_DAYS
  createDeletions({ service, stores, sessions, accounts, graceDays, forgetInRedis })
  const onVisibilityChanged = (userId: number) => ignoreOutage(service, store.repeat(userId))
  const { profileOf } = createProfiles({
    ...{ service, stores, onVisibilityChanged },
    changeUsername: accounts.changeUsername,
    onChanged: cache.invalidate,
  })
  createExports({ service, stores, tokens, profileOf, now })
  return service
}
