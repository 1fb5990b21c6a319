import type { AnswerOf, addPasskey, CallOf, loginWithPasskey, startPasskey } from '@bigtech/client'
import { UserFacingError } from './words.ts'

type Options = AnswerOf<typeof startPasskey>['options']
type Attestation = CallOf<typeof addPasskey>['body']['credential']
type Assertion = CallOf<typeof loginWithPasskey>['body']['credential']

/** Returns whether the browser supports passkeys on this page, which requires HTTPS or localhost. */
export function hasPasskeys(): boolean {
  return 'PublicKeyCredential' in window && 'parseCreationOptionsFromJSON' in PublicKeyCredential
}

/** Creates a passkey. @throws UserFacingError when the user or the authenticator declines */
export async function createPasskey(options: Options): Promise<Attestation> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as never)
  return (await asked(navigator.credentials.create({ publicKey }))) as Attestation
}

/** Returns whether the browser can suggest passkeys in a form field with `autocomplete="webauthn"`. */
export async function maySuggestPasskeys(): Promise<boolean> {
  return hasPasskeys() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true
}

/**
 * Signs a challenge with a passkey.
 *
 * @param suggestUntil only suggests passkeys in a form field, without a dialog, until the signal aborts
 * @throws UserFacingError when the user or the authenticator declines
 */
export async function signWithPasskey(options: Options, suggestUntil?: AbortSignal): Promise<Assertion> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as never)
  const suggestion = suggestUntil ? ({ mediation: 'conditional', signal: suggestUntil } as const) : {}
  return (await asked(navigator.credentials.get({ publicKey, ...suggestion }))) as Assertion
}

async function asked(dialog: Promise<Credential | null>): Promise<unknown> {
  try {
    return ((await dialog) as PublicKeyCredential).toJSON()
  } catch (err) {
    const name = err instanceof DOMException ? err.name : ''
    if (name === 'InvalidStateError') throw new UserFacingError('passkey.known')
    // A passkey is bound to one host name; the same server under another name is another site.
    if (name === 'SecurityError') throw new UserFacingError('passkey.otherSite')
    throw new UserFacingError('passkey.cancelled')
  }
}
