import { displayName } from '@bigtech/contracts'
import { type Context, Problem } from '@bigtech/service-kit'
import {
  type GoogleIdentity,
  type GoogleTokens,
  KeysUnavailable,
} from '../../infrastructure/google-tokens.ts'
import type { AccountService } from '../account/account.service.ts'
import type { Identity, IdentityRepository, LinkableAccount } from '../account/identity.repository.ts'
import { subscriberOf } from '../session/device.ts'
import type { Client, Grant } from '../session/session.service.ts'
import type { SignInService } from '../session/sign-in.service.ts'
import type { GoogleNonces } from './google-nonces.ts'
import { usernameCandidates } from './google-username.ts'

export type GoogleService = ReturnType<typeof createGoogleService>

export interface GoogleLogin extends Client {
  readonly idToken: string
  /** Links an account whose address is not verified. */
  readonly password: string | undefined
  readonly username: string | undefined
  readonly displayName: string | undefined
  readonly locale: string | undefined
  readonly deviceToken: string | undefined
}

/** Two concurrent first sign-ins of one identity may race: the loser finds the winner's account. */
const MAX_ROUNDS = 3
const RETRY_AFTER_SECONDS = 5

/** Creates the service for signing in with Google and linking accounts (docs/architecture/accounts.md). */
export function createGoogleService(deps: {
  tokens: GoogleTokens
  nonces: GoogleNonces
  identities: IdentityRepository
  accounts: Pick<AccountService, 'registerWithIdentity'>
  signIn: Pick<SignInService, 'checkPassword' | 'signInProven'>
}) {
  const { tokens, nonces, identities, signIn } = deps

  async function verify(idToken: string): Promise<GoogleIdentity> {
    const google = await tokens.verify(idToken).catch((err: unknown) => {
      if (!(err instanceof KeysUnavailable)) throw err
      throw new Problem('UNAVAILABLE', { cause: err, retryAfterSeconds: RETRY_AFTER_SECONDS })
    })
    // Looked up here and used up later: a request that gets 409 may be repeated with the password.
    if (!google || !(await nonces.isOpen(google.nonce))) throw new Problem('GOOGLE_TOKEN_INVALID')
    return google
  }

  async function useNonce(nonce: string): Promise<void> {
    if (!(await nonces.use(nonce))) throw new Problem('GOOGLE_TOKEN_INVALID')
  }

  /** Checks ownership of the account. @throws Problem GOOGLE_LINK_REFUSED without proof of ownership */
  async function assertMayLink(
    ctx: Context,
    account: LinkableAccount,
    google: GoogleIdentity,
    request: GoogleLogin,
  ): Promise<void> {
    if (account.emailVerified) return
    // The registrant may not own the address: without proof, Google's user would share the account.
    if (request.password === undefined) throw new Problem('GOOGLE_LINK_REFUSED')
    await signIn.checkPassword(ctx, {
      identifier: google.email,
      password: request.password,
      deviceToken: request.deviceToken,
      ip: request.ip,
      userAgent: request.userAgent,
    })
  }

  return {
    issueNonce: () => nonces.issue(),

    async login(ctx: Context, request: GoogleLogin): Promise<Grant> {
      const google = await verify(request.idToken)
      const identity: Identity = { provider: 'google', subject: google.subject }
      let isNonceUsed = false
      let account: LinkableAccount | null = null
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const known = await identities.findUser(identity)
        account = known ?? (await identities.findByEmail(google.email))
        if (!known && !google.emailVerified) throw new Problem('GOOGLE_EMAIL_UNVERIFIED')
        if (!known && account) await assertMayLink(ctx, account, google, request)
        if (!isNonceUsed) await useNonce(google.nonce)
        isNonceUsed = true
        if (known) return signIn.signInProven(ctx, known.userId, request)
        if (account) {
          if (!(await identities.link({ userId: account.userId, email: google.email }, identity))) continue
          ctx.log.info({ user_id: account.userId }, 'Google identity linked')
          return signIn.signInProven(ctx, account.userId, request)
        }
        const created = await deps.accounts.registerWithIdentity(ctx, {
          identity,
          email: google.email,
          usernames: request.username ? [request.username] : usernameCandidates(google.name),
          displayName: request.displayName ?? displayName.safeParse(google.name).data,
          locale: request.locale,
          subscriber: subscriberOf(request.ip),
        })
        if (created) return signIn.signInProven(ctx, created.userId, request)
      }
      // The address is being restored to an earlier owner, or belongs to an account being deleted.
      if (!account) throw new Problem('EMAIL_TAKEN')
      throw new Problem('GOOGLE_LINK_REFUSED', {
        detail: 'The account with this address is linked to another Google account.',
      })
    },
  }
}
