import type { ProblemTable } from './problem-definition.ts'

/** Accounts, sessions and profiles (user-service). */
export const accountProblems = {
  EMAIL_TAKEN: {
    status: 400,
    title: 'This email address is already in use.',
    meaning: 'Addresses are unique regardless of case. Sign in, or use another address.',
  },
  USERNAME_TAKEN: {
    status: 400,
    title: 'This username is already in use.',
    meaning: 'The name, or one that looks like it, is taken or reserved. Choose another name.',
  },
  CREDENTIALS_INVALID: {
    status: 401,
    title: 'Email or password is wrong.',
    meaning: 'Deliberately the same for an unknown account and a wrong password.',
  },
  GOOGLE_TOKEN_INVALID: {
    status: 401,
    title: 'The ID token was refused.',
    meaning:
      'Not issued by Google for this app, expired, or with a nonce that was used before or is older than 10 minutes. Create a nonce and sign in with Google again.',
  },
  GOOGLE_EMAIL_UNVERIFIED: {
    status: 403,
    title: 'Google has not verified this email address.',
    meaning: 'Verify the address at Google, or sign up with a password.',
  },
  GOOGLE_LINK_REFUSED: {
    status: 409,
    title: 'An account with this unverified email address exists.',
    meaning:
      'Repeat the request once with the `password` of that account; or verify the address or reset the password, then sign in with Google again.',
  },
  GOOGLE_NOT_CONFIGURED: {
    status: 404,
    title: 'Sign-in with Google is not available.',
    meaning: '`GET /auth/providers` lists the available sign-in methods.',
  },
  REFRESH_TOKEN_INVALID: {
    status: 401,
    title: 'The refresh token is not valid.',
    meaning: 'Unknown, expired, or reused after its successor; the latter ends the session. Sign in again.',
  },
  LOGIN_LIMITED: {
    status: 429,
    title: 'Too many attempts to sign in.',
    meaning: 'Wait `Retry-After` seconds. Devices that have signed in before are not locked out by others.',
  },
  USER_NOT_FOUND: {
    status: 404,
    title: 'There is no such user.',
    meaning: 'Unknown, deleted, or not visible to you.',
  },
  SESSION_NOT_FOUND: {
    status: 404,
    title: 'There is no such session.',
    meaning: 'The session has already ended, or is not yours.',
  },
  PASSWORD_WRONG: {
    status: 403,
    title: 'Your current password is wrong.',
    meaning: 'This operation also requires your password. Nothing was changed.',
  },
  SECOND_FACTOR_REQUIRED: {
    status: 403,
    title: 'A code of the authenticator app is required.',
    meaning:
      'At a sign-in the password was right: send `challenge.token` and a code to `POST /auth/login/second-factor`. Elsewhere: repeat the request with `code`.',
  },
  SECOND_FACTOR_WRONG: {
    status: 403,
    title: 'This code is not valid.',
    meaning:
      'An authenticator code works once, within a minute; a recovery code works once. Nothing was changed.',
  },
  CHALLENGE_INVALID: {
    status: 400,
    title: 'This challenge is no longer valid.',
    meaning: 'It was used or has expired (5 minutes). Start again.',
  },
  PASSKEY_REFUSED: {
    status: 403,
    title: 'This passkey was not accepted.',
    meaning: 'The passkey is unknown, belongs to another site, or has an invalid signature.',
  },
  PASSKEY_LIMIT: {
    status: 403,
    title: 'You have too many passkeys.',
    meaning: 'At most 20. Remove a passkey first.',
  },
  PASSKEY_NOT_FOUND: {
    status: 404,
    title: 'There is no such passkey.',
    meaning: 'It was removed, or is not yours.',
  },
  TOTP_ENABLED: {
    status: 409,
    title: 'An authenticator app is already on.',
    meaning: 'Turn it off first.',
  },
  TOTP_NOT_ENABLED: {
    status: 409,
    title: 'No authenticator app is on.',
    meaning: 'Set one up with `POST /auth/totp`, and confirm it with a code.',
  },
  LINK_INVALID: {
    status: 400,
    title: 'This link is no longer valid.',
    meaning: 'It was used, has expired, or was replaced by a newer link. Request a new one.',
  },
  USERNAME_CHANGE_LIMIT: {
    status: 429,
    title: 'The username was changed recently.',
    meaning: 'It can be changed once in 30 days. Wait `Retry-After` seconds.',
  },
  EXPORT_NOT_FOUND: {
    status: 404,
    title: 'There is no archive of your data.',
    meaning: 'None was asked for, or it was deleted 7 days after it was ready. Ask for a new one.',
  },
  EXPORT_NOT_READY: {
    status: 409,
    title: 'Your archive is not ready.',
    meaning: 'It is still being built, or could not be built. `GET /profile/me/export` says which.',
  },
  DELETION_NOT_FOUND: {
    status: 404,
    title: 'There is no such deletion.',
    meaning: 'The response that scheduled the deletion contains the id.',
  },
  REGISTRATION_NOT_FOUND: {
    status: 404,
    title: 'There is no such registration.',
    meaning: 'The response that started it contains the id. It is kept for 7 days after its end.',
  },
} as const satisfies ProblemTable
