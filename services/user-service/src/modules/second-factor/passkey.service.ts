import type { PasskeyAssertion, PasskeyAttestation } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { Challenges } from './challenges.ts'
import { MAX_PASSKEYS, type Passkey, type PasskeyRepository } from './passkey.repository.ts'
import {
  fromBase64url,
  loginOptions,
  type RelyingParty,
  registrationOptions,
  toBase64url,
  verifiedLogin,
  verifiedRegistration,
} from './passkey.ts'
import type { ConfirmIdentity, Proof } from './second-factor.service.ts'

export type PasskeyService = ReturnType<typeof createPasskeyService>

export interface PasskeyChallenge {
  readonly token: string
  readonly options: Record<string, unknown>
}

/** Creates the service for adding and removing passkeys. */
export function createPasskeyService(deps: {
  passkeys: PasskeyRepository
  challenges: Challenges
  party: RelyingParty
  confirmIdentity: ConfirmIdentity
  now: () => Date
}) {
  const { passkeys, challenges, party, confirmIdentity, now } = deps
  return {
    listPasskeys: (ctx: AuthenticatedContext): Promise<Passkey[]> => passkeys.list(ctx.actor.userId),

    async startPasskey(ctx: AuthenticatedContext, proof: Proof): Promise<PasskeyChallenge> {
      const { userId, username } = ctx.actor
      await confirmIdentity(ctx, proof)
      const existing = await passkeys.list(userId)
      if (existing.length >= MAX_PASSKEYS) throw new Problem('PASSKEY_LIMIT')
      const options = await registrationOptions(party, { userId, username }, existing)
      const { token } = await challenges.issue('passkeyRegistration', {
        challenge: options.challenge,
        userId,
      })
      return { token, options: { ...options } }
    },

    async addPasskey(
      ctx: AuthenticatedContext,
      response: { challengeToken: string; name: string; credential: PasskeyAttestation },
    ): Promise<Passkey> {
      const { userId } = ctx.actor
      const asked = await challenges.take('passkeyRegistration', response.challengeToken)
      if (asked?.userId !== userId) throw new Problem('CHALLENGE_INVALID')
      const key = await verifiedRegistration(party, asked.challenge, response.credential)
      if (!key) throw new Problem('PASSKEY_REFUSED')
      const added = await passkeys.add(userId, response.name, key, now())
      if (added === 'taken')
        throw new Problem('PASSKEY_REFUSED', { detail: 'This passkey is registered already.' })
      if (added === 'full') throw new Problem('PASSKEY_LIMIT')
      ctx.log.info({ passkey_id: added.id }, 'passkey added')
      return added
    },

    async removePasskey(ctx: AuthenticatedContext, id: string, proof: Proof): Promise<void> {
      await confirmIdentity(ctx, proof)
      if (!(await passkeys.remove(ctx.actor.userId, id))) throw new Problem('PASSKEY_NOT_FOUND')
      ctx.log.info({ passkey_id: id }, 'passkey removed')
    },
  }
}

export type PasskeyVerifier = ReturnType<typeof createPasskeyVerifier>

/** Creates the passkey verification for sign-in. */
export function createPasskeyVerifier(deps: {
  passkeys: PasskeyRepository
  challenges: Challenges
  party: RelyingParty
}) {
  const { passkeys, challenges, party } = deps
  return {
    async start(): Promise<PasskeyChallenge> {
      const options = await loginOptions(party)
      const { token } = await challenges.issue('passkeyLogin', { challenge: options.challenge })
      return { token, options: { ...options } }
    },

    /** Verifies a response. Always uses up the challenge. @throws Problem CHALLENGE_INVALID, PASSKEY_REFUSED */
    async verify(
      token: string,
      credential: PasskeyAssertion,
    ): Promise<{ passkey: Passkey; counter: number }> {
      const asked = await challenges.take('passkeyLogin', token)
      if (!asked) throw new Problem('CHALLENGE_INVALID')
      const passkey = await passkeys.findByCredential(fromBase64url(credential.id))
      const { userHandle } = credential.response
      const isOwners =
        userHandle === undefined || userHandle === toBase64url(Buffer.from(String(passkey?.userId)))
      const counter =
        passkey && isOwners ? await verifiedLogin(party, asked.challenge, credential, passkey) : undefined
      if (!passkey || counter === undefined) throw new Problem('PASSKEY_REFUSED')
      return { passkey, counter }
    },

    noteUse: passkeys.noteUse,
    has: async (userId: number): Promise<boolean> => (await passkeys.count(userId)) > 0,
  }
}
