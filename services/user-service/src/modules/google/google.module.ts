import type { Service } from '@bigtech/service-kit'
import type { Config } from '../../config.ts'
import { createGoogleTokens } from '../../infrastructure/google-tokens.ts'
import type { Stores } from '../../infrastructure/stores.ts'
import type { AccountService } from '../account/account.service.ts'
import type { IdentityRepository } from '../account/identity.repository.ts'
import type { SignInService } from '../session/sign-in.service.ts'
import { googleRoutes } from './google.routes.ts'
import { createGoogleService } from './google.service.ts'
import { createGoogleNonces } from './google-nonces.ts'

/** Wires sign-in with Google; without GOOGLE_CLIENT_IDS its operations return 404. */
export function createGoogle(options: {
  service: Service
  stores: Stores
  config: Config
  accounts: AccountService
  identities: IdentityRepository
  signIn: SignInService
}): void {
  const { service, stores, config, accounts, identities, signIn } = options
  const clientIds = config.GOOGLE_CLIENT_IDS
  const [clientId] = clientIds
  const tokens = createGoogleTokens({
    clientIds,
    issuers: config.GOOGLE_ISSUERS,
    jwksUrl: config.GOOGLE_JWKS_URL,
  })
  service.app.register(googleRoutes, {
    limiter: stores.limiter,
    provider: clientId ? { clientId, authorizationUrl: config.GOOGLE_AUTHORIZATION_URL } : undefined,
    google: clientId
      ? createGoogleService({
          tokens,
          nonces: createGoogleNonces(stores.redis),
          identities,
          accounts,
          signIn,
        })
      : undefined,
  })
}
