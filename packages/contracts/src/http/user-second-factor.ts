import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { opaqueText, singleLine } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { deviceToken, tokenExample, tokenPair } from './user-auth.ts'
import { proofOfIdentity, secondFactorCode } from './user-fields.ts'

const exampleTime = '2026-01-27T10:00:00.000Z'
const examplePasskey = '5f0c6f1e-9b1f-4a57-8f0c-0f6f3f2d9f12'
const exampleChallenge = 'q3Zr0dIhV0J9m1l2b3c4d5e6f7g8h9i0j1k2l3m4n5o'

/** Base64url of bounded length. */
const bytes = (max: number) =>
  z
    .string()
    .max(max, { abort: true, error: `At most ${max} characters.` })
    .regex(/^[A-Za-z0-9_-]+$/, 'Must be base64url without padding.')

const challengeToken = opaqueText({ max: 100 }).meta({
  description: 'The token of the challenge. Valid for 5 minutes and one success.',
  examples: [exampleChallenge],
})

/** Input of a browser's `credentials.get` and `create`, in the JSON form of WebAuthn Level 3. */
const passkeyChallenge = z.object({
  challenge_token: z.string(),
  options: z.record(z.string(), z.unknown()).meta({
    description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON` or `parseCreationOptionsFromJSON`.',
  }),
})
const passkeyChallengeExample = {
  challenge_token: exampleChallenge,
  options: { challenge: 'c29tZSByYW5kb20gYnl0ZXM', rpId: 'chat.example.com', userVerification: 'required' },
}

/** `PublicKeyCredential.toJSON()`; unlisted members are ignored. */
const passkeyCredential = z.object({
  id: bytes(1_400),
  rawId: bytes(1_400),
  type: z.literal('public-key'),
})
const assertion = passkeyCredential.extend({
  response: z.object({
    clientDataJSON: bytes(4_000),
    authenticatorData: bytes(4_000),
    signature: bytes(4_000),
    userHandle: bytes(100).optional(),
  }),
})
const attestation = passkeyCredential.extend({
  response: z.object({
    clientDataJSON: bytes(4_000),
    attestationObject: bytes(20_000),
    transports: z.array(z.string().max(20)).max(10).optional(),
  }),
})
export type PasskeyAssertion = z.infer<typeof assertion>
export type PasskeyAttestation = z.infer<typeof attestation>

const credentialExample = { id: 'Y3JlZA', rawId: 'Y3JlZA', type: 'public-key' } as const

const passkey = z.object({
  passkey_id: z.uuid(),
  name: z.string(),
  created_at: timestamp,
  last_used_at: timestamp.nullable(),
})
const passkeyExample = {
  passkey_id: examplePasskey,
  name: '내 휴대폰',
  created_at: exampleTime,
  last_used_at: null,
}

const recoveryCodes = z.object({
  recovery_codes: z
    .array(z.string())
    .meta({ description: 'Returned only once. Each code replaces an authenticator code for one sign-in.' }),
})
const recoveryCodesExample = { recovery_codes: ['k7x2m-9qw4t', 'p3n8v-5hj6d'] }

export const completeLogin = defineRoute({
  operationId: 'completeLogin',
  method: 'POST',
  path: '/auth/login/second-factor',
  tag: 'auth',
  summary: 'Complete a sign-in that requires a second factor',
  description:
    'When the account has an authenticator app, a sign-in with the right password returns 403 `SECOND_FACTOR_REQUIRED` with a `challenge`. The code is an authenticator code or a recovery code.',
  auth: 'public',
  body: z.strictObject({
    challenge_token: challengeToken,
    code: secondFactorCode,
    device_token: deviceToken.optional(),
  }),
  bodyExample: { challenge_token: exampleChallenge, code: '123456' },
  success: { status: 200, description: 'A new session.', schema: tokenPair, example: tokenExample },
  problems: ['CHALLENGE_INVALID', 'SECOND_FACTOR_WRONG', 'ACCOUNT_SUSPENDED', 'RATE_LIMITED'],
})

export const startPasskeyLogin = defineRoute({
  operationId: 'startPasskeyLogin',
  method: 'POST',
  path: '/auth/login/passkey/options',
  tag: 'auth',
  summary: 'Begin a sign-in with a passkey',
  description: 'Needs no account name: the authenticator knows its passkeys.',
  auth: 'public',
  success: {
    status: 200,
    description: "Options for the browser's authenticator.",
    schema: passkeyChallenge,
    example: passkeyChallengeExample,
  },
  problems: ['RATE_LIMITED'],
})

export const loginWithPasskey = defineRoute({
  operationId: 'loginWithPasskey',
  method: 'POST',
  path: '/auth/login/passkey',
  tag: 'auth',
  summary: 'Sign in with a passkey',
  description: 'Replaces password and code: the authenticator has verified its user.',
  auth: 'public',
  body: z.strictObject({
    challenge_token: challengeToken,
    credential: assertion,
    device_token: deviceToken.optional(),
  }),
  bodyExample: {
    challenge_token: exampleChallenge,
    credential: {
      ...credentialExample,
      response: { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA' },
    },
  },
  success: { status: 200, description: 'A new session.', schema: tokenPair, example: tokenExample },
  problems: ['CHALLENGE_INVALID', 'PASSKEY_REFUSED', 'ACCOUNT_SUSPENDED'],
})

export const getSecondFactors = defineRoute({
  operationId: 'getSecondFactors',
  method: 'GET',
  path: '/auth/second-factors',
  tag: 'account',
  summary: 'Your authenticator app, recovery codes and passkeys',
  success: {
    status: 200,
    description: 'The protections of your account besides the password.',
    schema: z.object({
      totp_enabled_at: timestamp.nullable().meta({ description: 'Null: no authenticator app.' }),
      recovery_codes_left: z.int(),
      passkeys: z.array(passkey),
    }),
    example: { totp_enabled_at: exampleTime, recovery_codes_left: 10, passkeys: [passkeyExample] },
  },
})

export const startTotp = defineRoute({
  operationId: 'startTotp',
  method: 'POST',
  path: '/auth/totp',
  tag: 'account',
  summary: 'Set up an authenticator app',
  description: 'Takes effect after confirmation with a code of the app. Replaces an unconfirmed setup.',
  body: z.strictObject(proofOfIdentity),
  bodyExample: { password: 'Test1234!@' },
  success: {
    status: 200,
    description: 'The secret as text, and the content of a QR code.',
    schema: z.object({ secret: z.string(), uri: z.string() }),
    example: {
      secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
      uri: 'otpauth://totp/BigTech%20Chat:testuser?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=BigTech%20Chat',
    },
  },
  problems: ['PASSWORD_WRONG', 'TOTP_ENABLED', 'RATE_LIMITED', 'OVERLOADED'],
})

export const confirmTotp = defineRoute({
  operationId: 'confirmTotp',
  method: 'POST',
  path: '/auth/totp/confirm',
  tag: 'account',
  summary: 'Turn the authenticator app on with one of its codes',
  body: z.strictObject({ code: secondFactorCode }),
  bodyExample: { code: '123456' },
  success: {
    status: 200,
    description: 'The app is on. Recovery codes for the case that the app is lost.',
    schema: recoveryCodes,
    example: recoveryCodesExample,
  },
  problems: ['SECOND_FACTOR_WRONG', 'TOTP_ENABLED', 'RATE_LIMITED'],
})

const needsProof = [
  'PASSWORD_WRONG',
  'SECOND_FACTOR_REQUIRED',
  'SECOND_FACTOR_WRONG',
  'RATE_LIMITED',
  'OVERLOADED',
] as const

export const disableTotp = defineRoute({
  operationId: 'disableTotp',
  method: 'DELETE',
  path: '/auth/totp',
  tag: 'account',
  summary: 'Turn the authenticator app off',
  description: 'Also deletes its recovery codes.',
  body: z.strictObject(proofOfIdentity),
  bodyExample: { password: 'Test1234!@', code: '123456' },
  success: { status: 204, description: 'A password alone is sufficient again.' },
  problems: needsProof,
})

export const replaceRecoveryCodes = defineRoute({
  operationId: 'replaceRecoveryCodes',
  method: 'POST',
  path: '/auth/recovery-codes',
  tag: 'account',
  summary: 'Replace your recovery codes',
  body: z.strictObject(proofOfIdentity),
  bodyExample: { password: 'Test1234!@', code: '123456' },
  success: {
    status: 200,
    description: 'The new codes; the old codes are invalid.',
    schema: recoveryCodes,
    example: recoveryCodesExample,
  },
  problems: [...needsProof, 'TOTP_NOT_ENABLED'],
})

export const startPasskey = defineRoute({
  operationId: 'startPasskey',
  method: 'POST',
  path: '/auth/passkeys/options',
  tag: 'account',
  summary: 'Begin adding a passkey',
  body: z.strictObject(proofOfIdentity),
  bodyExample: { password: 'Test1234!@' },
  success: {
    status: 200,
    description: "Options for the browser's authenticator.",
    schema: passkeyChallenge,
    example: passkeyChallengeExample,
  },
  problems: [...needsProof, 'PASSKEY_LIMIT'],
})

export const addPasskey = defineRoute({
  operationId: 'addPasskey',
  method: 'POST',
  path: '/auth/passkeys',
  tag: 'account',
  summary: 'Add the passkey created by the authenticator',
  body: z.strictObject({
    challenge_token: challengeToken,
    name: singleLine({ max: 50 }).meta({ examples: ['내 휴대폰'] }),
    credential: attestation,
  }),
  bodyExample: {
    challenge_token: exampleChallenge,
    name: '내 휴대폰',
    credential: { ...credentialExample, response: { clientDataJSON: 'e30', attestationObject: 'AAAA' } },
  },
  success: {
    status: 201,
    description: 'The passkey can be used for sign-in.',
    schema: passkey,
    example: passkeyExample,
  },
  problems: ['CHALLENGE_INVALID', 'PASSKEY_REFUSED', 'PASSKEY_LIMIT'],
})

export const removePasskey = defineRoute({
  operationId: 'removePasskey',
  method: 'DELETE',
  path: '/auth/passkeys/:passkey_id',
  tag: 'account',
  summary: 'Remove a passkey',
  params: z.object({ passkey_id: z.uuid().meta({ examples: [examplePasskey] }) }),
  body: z.strictObject(proofOfIdentity),
  bodyExample: { password: 'Test1234!@' },
  success: { status: 204, description: 'The passkey is removed. Its sessions continue.' },
  problems: [...needsProof, 'PASSKEY_NOT_FOUND'],
})
