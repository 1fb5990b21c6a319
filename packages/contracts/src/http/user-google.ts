import { z } from 'zod'
import { opaqueText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { deviceToken, tokenExample, tokenPair } from './user-auth.ts'
import { anyPassword, displayName, locale, username } from './user-fields.ts'

const exampleNonce = 'vJ3mPq0sT9x2Kf7LwZ1bHg'

export const listSignInProviders = defineRoute({
  operationId: 'listSignInProviders',
  method: 'GET',
  path: '/auth/providers',
  tag: 'auth',
  summary: 'Sign-in methods besides a password',
  auth: 'public',
  success: {
    status: 200,
    description: '`google` is null when sign-in with Google is not configured.',
    schema: z.object({
      google: z.object({ client_id: z.string(), authorization_url: z.string() }).nullable(),
    }),
    example: {
      google: {
        client_id: '1234.apps.googleusercontent.com',
        authorization_url: 'https://accounts.google.com/o/oauth2/v2/auth',
      },
    },
  },
})

export const createGoogleNonce = defineRoute({
  operationId: 'createGoogleNonce',
  method: 'POST',
  path: '/auth/google/nonce',
  tag: 'auth',
  summary: 'A nonce for a sign-in with Google',
  description: 'Valid for one sign-in within 10 minutes. Pass it to Google as `nonce`.',
  auth: 'public',
  success: {
    status: 200,
    description: 'The nonce.',
    schema: z.object({
      nonce: z.string(),
      expires_in: z.int().meta({ description: 'Seconds until the nonce expires.' }),
    }),
    example: { nonce: exampleNonce, expires_in: 600 },
  },
  problems: ['GOOGLE_NOT_CONFIGURED', 'RATE_LIMITED'],
})

export const loginWithGoogle = defineRoute({
  operationId: 'loginWithGoogle',
  method: 'POST',
  path: '/auth/google',
  tag: 'auth',
  summary: 'Sign in with Google',
  description:
    'The ID token must carry a nonce from `POST /auth/google/nonce`. The first sign-in creates an account, or links the account with the same verified address. An account with an unverified address is linked only with its `password`.',
  auth: 'public',
  body: z.strictObject({
    id_token: opaqueText({ max: 8_000 }),
    password: anyPassword.optional().meta({ description: 'Only for linking an account after a 409.' }),
    username: username.optional().meta({ description: 'For a new account. Defaults to the name at Google.' }),
    display_name: displayName.optional(),
    locale: locale.optional(),
    device_token: deviceToken.optional(),
  }),
  bodyExample: { id_token: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' },
  success: { status: 200, description: 'A new session.', schema: tokenPair, example: tokenExample },
  problems: [
    'GOOGLE_TOKEN_INVALID',
    'SECOND_FACTOR_REQUIRED',
    'GOOGLE_EMAIL_UNVERIFIED',
    'ACCOUNT_SUSPENDED',
    'GOOGLE_LINK_REFUSED',
    'GOOGLE_NOT_CONFIGURED',
    'CREDENTIALS_INVALID',
    'EMAIL_TAKEN',
    'USERNAME_TAKEN',
    'LOGIN_LIMITED',
    'RATE_LIMITED',
    'OVERLOADED',
  ],
})
