import type { Service } from '@bigtech/service-kit'
import type { Stores } from '../../infrastructure/stores.ts'
import { type Challenges, createChallenges } from './challenges.ts'
import { createPasskeyRepository, type PasskeyRepository } from './passkey.repository.ts'
import { createPasskeyService, createPasskeyVerifier, type PasskeyVerifier } from './passkey.service.ts'
import { type RelyingParty, relyingPartyOf } from './passkey.ts'
import { createSecondFactorRepository, type SecondFactorRepository } from './second-factor.repository.ts'
import { secondFactorRoutes } from './second-factor.routes.ts'
import { type ConfirmIdentity, createSecondFactorService } from './second-factor.service.ts'

/** The parts needed by sign-in and identity confirmation, without routes. */
export interface SecondFactors {
  readonly factors: SecondFactorRepository
  readonly challenges: Challenges
  readonly passkeys: PasskeyVerifier
  readonly passkeyRepository: PasskeyRepository
  readonly party: RelyingParty
}

export function createSecondFactors(options: {
  stores: Stores
  publicUrl: string
  now: () => Date
}): SecondFactors {
  const { mysql, redis, secretBox } = options.stores
  const challenges = createChallenges(redis)
  const party = relyingPartyOf(options.publicUrl)
  const passkeyRepository = createPasskeyRepository(mysql)
  return {
    factors: createSecondFactorRepository(mysql, secretBox, options.now),
    challenges,
    passkeys: createPasskeyVerifier({ passkeys: passkeyRepository, challenges, party }),
    passkeyRepository,
    party,
  }
}

/** Wires the settings of authenticator app, recovery codes and passkeys. */
export function createSecondFactorSettings(options: {
  service: Service
  stores: Stores
  secondFactors: SecondFactors
  confirmIdentity: ConfirmIdentity
  now: () => Date
}): void {
  const { service, stores, secondFactors, confirmIdentity, now } = options
  const { challenges, party, passkeyRepository } = secondFactors
  service.app.register(secondFactorRoutes, {
    factors: createSecondFactorService({
      factors: secondFactors.factors,
      limiter: stores.limiter,
      confirmIdentity,
    }),
    passkeys: createPasskeyService({ passkeys: passkeyRepository, challenges, party, confirmIdentity, now }),
  })
}
