import { z } from 'zod'
import { sessionId, timestamp, userId } from '../ids.ts'
import { opaqueText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { onePage, pageQuery, wholeNumber } from './paging.ts'
import { anyPassword, displayName, email, identifier, locale, newPassword, username } from './user-fields.ts'

const exampleTime = '2026-01-27T10:00:00.000Z'
const exampleSession = '0194a8a0-5b00-7000-8000-000000000001'

export const deviceToken = opaqueText({ max: 1_000 }).meta({
  description:
    'The `device_token` of an earlier sign-in on this device; exempts it from the lockout caused by others.',
})

/** An account as returned to its owner right after signing up. */
const registeredAccount = z.object({
  id: userId,
  user_id: userId,
  email: z.string(),
  username: z.string(),
  display_name: z.string(),
  created_at: timestamp,
})

export const tokenPair = z.object({
  access_token: z.string(),
  token_type: z.literal('bearer'),
  expires_in: z.int().meta({ description: 'Seconds until the access token expires.' }),
  refresh_token: z.string(),
  refresh_expires_in: z.int().meta({ description: 'Seconds until the session expires unless refreshed.' }),
  session_id: sessionId,
  user_id: userId,
  device_token: z
    .string()
    .optional()
    .meta({ description: 'At sign-in only: send it with the next sign-in on this device.' }),
  deletion_cancelled: z.boolean().optional().meta({
    description: 'At sign-in: true when the sign-in cancelled a scheduled deletion of the account.',
  }),
})
export type TokenPair = z.infer<typeof tokenPair>

export const tokenExample = {
  access_token: 'eyJhbGciOiJFZERTQSJ9.e30.c2ln',
  token_type: 'bearer',
  expires_in: 600,
  refresh_token: 'uP0Z9l2tW4xq',
  refresh_expires_in: 2_592_000,
  session_id: exampleSession,
  user_id: 100,
  device_token: 'eyJhbGciOiJFZERTQSJ9.e30.c2ln',
}

export const registerUser = defineRoute({
  operationId: 'registerUser',
  method: 'POST',
  path: '/auth/register',
  tag: 'auth',
  summary: 'Sign up',
  auth: 'public',
  body: z.strictObject({
    email,
    username,
    password: newPassword,
    display_name: displayName.optional().meta({ description: 'Defaults to the username.' }),
    locale: locale.optional(),
  }),
  bodyExample: {
    email: 'test@example.com',
    username: 'testuser',
    password: 'Test1234!@',
    display_name: '테스트 유저',
  },
  success: {
    status: 201,
    description: 'The new account.',
    schema: registeredAccount,
    example: {
      id: 100,
      user_id: 100,
      email: 'test@example.com',
      username: 'testuser',
      display_name: '테스트 유저',
      created_at: exampleTime,
    },
  },
  problems: ['EMAIL_TAKEN', 'USERNAME_TAKEN', 'RATE_LIMITED', 'OVERLOADED'],
})

export const loginWithJson = defineRoute({
  operationId: 'loginWithJson',
  method: 'POST',
  path: '/auth/login/json',
  tag: 'auth',
  summary: 'Sign in',
  auth: 'public',
  body: z.strictObject({
    email: identifier.meta({ description: 'Email address or username.', examples: ['test@example.com'] }),
    password: anyPassword,
    device_token: deviceToken.optional(),
  }),
  bodyExample: { email: 'test@example.com', password: 'Test1234!@' },
  success: { status: 200, description: 'A new session.', schema: tokenPair, example: tokenExample },
  problems: [
    'CREDENTIALS_INVALID',
    'ACCOUNT_SUSPENDED',
    'SECOND_FACTOR_REQUIRED',
    'LOGIN_LIMITED',
    'OVERLOADED',
  ],
})

export const login = defineRoute({
  operationId: 'login',
  method: 'POST',
  path: '/auth/login',
  tag: 'auth',
  summary: 'Sign in with an OAuth2 password form',
  description:
    '`username` is the email address or the username. Unknown parameters are ignored (RFC 6749, 3.2).',
  auth: 'public',
  bodyType: 'form',
  body: z.object({
    username: identifier,
    password: anyPassword,
    grant_type: z.enum(['password', '']).optional(),
    device_token: deviceToken.optional(),
  }),
  bodyExample: { grant_type: 'password', username: 'test@example.com', password: 'Test1234!@' },
  success: { status: 200, description: 'A new session.', schema: tokenPair, example: tokenExample },
  problems: [
    'CREDENTIALS_INVALID',
    'ACCOUNT_SUSPENDED',
    'SECOND_FACTOR_REQUIRED',
    'LOGIN_LIMITED',
    'OVERLOADED',
  ],
})

export const refreshSession = defineRoute({
  operationId: 'refreshSession',
  method: 'POST',
  path: '/auth/refresh',
  tag: 'auth',
  summary: 'Exchange a refresh token for new tokens',
  description:
    'Every refresh replaces the refresh token. Until the new token is used, the previous one returns it again: after a lost response, or for concurrent refreshes of several tabs. An older token ends its session.',
  auth: 'public',
  body: z.strictObject({ refresh_token: opaqueText({ max: 512 }) }),
  bodyExample: { refresh_token: 'uP0Z9l2tW4xq' },
  success: { status: 200, description: 'New tokens.', schema: tokenPair, example: tokenExample },
  problems: ['REFRESH_TOKEN_INVALID'],
})

export const logout = defineRoute({
  operationId: 'logout',
  method: 'POST',
  path: '/auth/logout',
  tag: 'auth',
  summary: 'End this session',
  success: { status: 204, description: 'The session has ended; its tokens are refused.' },
})

export const logoutAll = defineRoute({
  operationId: 'logoutAll',
  method: 'POST',
  path: '/auth/logout-all',
  tag: 'auth',
  summary: 'End all sessions, or all others',
  body: z
    .strictObject({
      except_current: z.boolean().default(false).meta({ description: 'Keep the calling session.' }),
    })
    .optional(),
  bodyExample: { except_current: true },
  success: {
    status: 200,
    description: 'The number of ended sessions.',
    schema: z.object({ ended: z.int() }),
    example: { ended: 2 },
  },
})

const session = z.object({
  session_id: sessionId,
  device: z.string().meta({ description: 'Derived from the User-Agent at sign-in.' }),
  ip_prefix: z.string().meta({ description: 'Network prefix of its last use, not the full address.' }),
  created_at: timestamp,
  last_seen_at: timestamp,
  expires_at: timestamp.meta({ description: 'When the session expires unless refreshed.' }),
  current: z.boolean(),
})

export const listSessions = defineRoute({
  operationId: 'listSessions',
  method: 'GET',
  path: '/auth/sessions',
  tag: 'auth',
  summary: 'Your sessions, newest first',
  query: pageQuery,
  success: onePage(session, 'A page of sessions.', {
    session_id: exampleSession,
    device: 'Chrome on Windows',
    ip_prefix: '203.0.113.0/24',
    created_at: exampleTime,
    last_seen_at: exampleTime,
    expires_at: '2026-02-26T10:00:00.000Z',
    current: true,
  }),
  problems: ['CURSOR_INVALID'],
})

export const revokeSession = defineRoute({
  operationId: 'revokeSession',
  method: 'DELETE',
  path: '/auth/sessions/:session_id',
  tag: 'auth',
  summary: 'End one of your sessions',
  params: z.object({ session_id: sessionId.meta({ examples: [exampleSession] }) }),
  success: {
    status: 204,
    description: 'The tokens of the session are refused and its streams closed within 2 s.',
  },
  problems: ['SESSION_NOT_FOUND'],
})

export const changePassword = defineRoute({
  operationId: 'changePassword',
  method: 'PUT',
  path: '/auth/password',
  tag: 'auth',
  summary: 'Change your password',
  description: 'Ends every other session.',
  body: z.strictObject({ current_password: anyPassword, new_password: newPassword }),
  bodyExample: { current_password: 'Test1234!@', new_password: 'Better5678#$' },
  success: { status: 204, description: 'The new password is in force.' },
  problems: ['PASSWORD_WRONG', 'RATE_LIMITED', 'OVERLOADED'],
})

export const getRevocations = defineRoute({
  operationId: 'getRevocations',
  method: 'GET',
  path: '/.well-known/revocations.json',
  tag: 'auth',
  summary: 'Recently ended sessions, whose access tokens other services must refuse',
  description:
    'For services, in addition to the event UserSessionRevoked: works during a Kafka outage. Not reachable through the gateway. Call again with `as_of` minus 10 s, immediately when `has_more`. With `wait_seconds` the response is sent as soon as more than `known` sessions have ended since `since`, or after that time.',
  auth: 'public',
  isPolled: true,
  query: z.object({
    since: timestamp.meta({ examples: [exampleTime] }),
    known: wholeNumber({ min: 0 }).default(0),
    wait_seconds: wholeNumber({ min: 0, max: 5 }).default(0),
  }),
  success: {
    status: 200,
    description: 'Sessions that ended since then, oldest first.',
    schema: z.object({
      as_of: timestamp,
      items: z.array(z.object({ session_id: sessionId, revoked_at: timestamp })),
      has_more: z.boolean(),
    }),
    example: { as_of: exampleTime, items: [], has_more: false },
  },
})

export const getJwks = defineRoute({
  operationId: 'getJwks',
  method: 'GET',
  path: '/.well-known/jwks.json',
  tag: 'auth',
  summary: 'Public keys of access tokens',
  auth: 'public',
  success: {
    status: 200,
    description: 'A JWK set (RFC 7517).',
    schema: z.object({
      keys: z.array(
        z.object({
          kty: z.string(),
          crv: z.string(),
          x: z.string(),
          kid: z.string(),
          alg: z.string(),
          use: z.string(),
        }),
      ),
    }),
    example: {
      keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKx…', kid: '2026-01', alg: 'EdDSA', use: 'sig' }],
    },
  },
})
