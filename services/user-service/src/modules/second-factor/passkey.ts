import type { PasskeyAssertion, PasskeyAttestation } from '@bigtech/contracts'
import type { AuthenticatorTransport } from '@simplewebauthn/server'

/** Loaded on first use: with its certificate parsers it is the largest dependency, and few requests need it. */
const webauthn = () => import('@simplewebauthn/server')

/** The site to which passkeys are bound. */
export interface RelyingParty {
  readonly id: string
  readonly origin: string
}

/** The stored data of a passkey. */
export interface PasskeyKey {
  readonly credentialId: Uint8Array<ArrayBuffer>
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** The authenticator's signature counter, or 0 if it has none. */
  readonly counter: number
  readonly transports: readonly string[]
}

const NAME = 'BigTech Chat'

/** Returns the relying party for the public URL of the web client. */
export function relyingPartyOf(publicUrl: string): RelyingParty {
  const { hostname, origin } = new URL(publicUrl)
  return { id: hostname, origin }
}

/** Returns browser options for creating a passkey that can sign in without a username. */
export async function registrationOptions(
  party: RelyingParty,
  user: { readonly userId: number; readonly username: string },
  existing: readonly PasskeyKey[],
) {
  const { generateRegistrationOptions } = await webauthn()
  return generateRegistrationOptions({
    rpName: NAME,
    rpID: party.id,
    userID: new TextEncoder().encode(String(user.userId)),
    userName: user.username,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: existing.map((key) => ({
      id: toBase64url(key.credentialId),
      transports: [...key.transports] as AuthenticatorTransport[],
    })),
  })
}

export async function loginOptions(party: RelyingParty) {
  const { generateAuthenticationOptions } = await webauthn()
  return generateAuthenticationOptions({ rpID: party.id, userVerification: 'required' })
}

/** Returns the passkey of a registration; undefined when it does not match this challenge and site. */
export async function verifiedRegistration(
  party: RelyingParty,
  challenge: string,
  credential: PasskeyAttestation,
): Promise<PasskeyKey | undefined> {
  const { transports = [], ...response } = credential.response
  const { verifyRegistrationResponse } = await webauthn()
  const result = await verifyRegistrationResponse({
    response: { ...credential, response, clientExtensionResults: {} },
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
  }).catch(() => undefined)
  if (!result?.verified) return undefined
  const { id, publicKey, counter } = result.registrationInfo.credential
  return { credentialId: fromBase64url(id), publicKey: new Uint8Array(publicKey), counter, transports }
}

/** Returns the new counter; undefined when the signature is invalid for the passkey, challenge or site. */
export async function verifiedLogin(
  party: RelyingParty,
  challenge: string,
  credential: PasskeyAssertion,
  key: PasskeyKey,
): Promise<number | undefined> {
  const { userHandle, ...response } = credential.response
  const { verifyAuthenticationResponse } = await webauthn()
  const result = await verifyAuthenticationResponse({
    response: {
      ...credential,
      response: { ...response, ...(userHandle === undefined ? {} : { userHandle }) },
      clientExtensionResults: {},
    },
    expectedChallenge: challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    credential: { id: toBase64url(key.credentialId), publicKey: key.publicKey, counter: key.counter },
  }).catch(() => undefined)
  return result?.verified ? result.authenticationInfo.newCounter : undefined
}

export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
