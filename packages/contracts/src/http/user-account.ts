import { z } from 'zod'
import { accountMailPurpose } from '../events/user-events.ts'
import { timestamp } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { email, linkToken, locale, newPassword, proofOfIdentity, username } from './user-fields.ts'
import { ownProfile, ownProfileExample } from './user-profile.ts'

const exampleToken = 'eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI1ZjBjIn0.c2lnbmF0dXJl'
const linkUsed = { status: 204, description: 'Done. The link cannot be used again.' } as const

export const requestEmailVerification = defineRoute({
  operationId: 'requestEmailVerification',
  method: 'POST',
  path: '/auth/email/verification',
  tag: 'account',
  summary: 'Resend the mail that verifies your address',
  description:
    'At most 3 per hour. A newer link replaces the older ones. Nothing is sent if the address is already verified.',
  success: { status: 202, description: 'The mail is on its way, unless the address is already verified.' },
  problems: ['RATE_LIMITED'],
})

export const confirmEmail = defineRoute({
  operationId: 'confirmEmail',
  method: 'POST',
  path: '/auth/email/confirm',
  tag: 'account',
  summary: 'Verify an address with the link from the mail',
  description: 'Also completes a change of address. The link is valid for 24 hours and works once.',
  auth: 'public',
  body: z.strictObject({ token: linkToken }),
  bodyExample: { token: exampleToken },
  success: linkUsed,
  problems: ['LINK_INVALID', 'EMAIL_TAKEN'],
})

export const changeEmail = defineRoute({
  operationId: 'changeEmail',
  method: 'PUT',
  path: '/auth/email',
  tag: 'account',
  summary: 'Change your address',
  description:
    'Takes effect when the link sent to the new address is used. The old address is then notified and can undo the change for 7 days. The response is the same whether or not the address belongs to an account.',
  body: z.strictObject({ email, ...proofOfIdentity }),
  bodyExample: { email: 'new@example.com', password: 'Test1234!@' },
  success: { status: 202, description: 'A link is on its way to the new address.' },
  problems: ['PASSWORD_WRONG', 'SECOND_FACTOR_REQUIRED', 'SECOND_FACTOR_WRONG', 'RATE_LIMITED', 'OVERLOADED'],
})

export const undoEmailChange = defineRoute({
  operationId: 'undoEmailChange',
  method: 'POST',
  path: '/auth/email/undo',
  tag: 'account',
  summary: 'Undo a change of address with the link sent to the old address',
  description:
    'The link is valid for 7 days and works once. Ends every session: set a new password with `POST /auth/password/forgot`.',
  auth: 'public',
  body: z.strictObject({ token: linkToken }),
  bodyExample: { token: exampleToken },
  success: linkUsed,
  problems: ['LINK_INVALID'],
})

export const forgotPassword = defineRoute({
  operationId: 'forgotPassword',
  method: 'POST',
  path: '/auth/password/forgot',
  tag: 'account',
  summary: 'Request a link for setting a new password',
  description: 'The response and its timing are the same whether or not the account exists.',
  auth: 'public',
  body: z.strictObject({ email }),
  bodyExample: { email: 'test@example.com' },
  success: { status: 202, description: 'If the account exists, a link is on its way to it.' },
  problems: ['RATE_LIMITED'],
})

export const endReportedSession = defineRoute({
  operationId: 'endReportedSession',
  method: 'POST',
  path: '/auth/sessions/report',
  tag: 'account',
  summary: 'End an unknown session with the link from the mail about its sign-in',
  description:
    'All devices lose their trusted status and a password reset link is sent, because the password is known to somebody else.',
  auth: 'public',
  body: z.strictObject({ token: linkToken }),
  bodyExample: { token: exampleToken },
  success: linkUsed,
  problems: ['LINK_INVALID'],
})

export const resetPassword = defineRoute({
  operationId: 'resetPassword',
  method: 'POST',
  path: '/auth/password/reset',
  tag: 'account',
  summary: 'Set a new password with the link',
  description: 'The link is valid for 30 minutes and works once. Ends every session.',
  auth: 'public',
  body: z.strictObject({ token: linkToken, new_password: newPassword }),
  bodyExample: { token: exampleToken, new_password: 'Better5678#$' },
  success: linkUsed,
  problems: ['LINK_INVALID', 'OVERLOADED'],
})

export const changeUsername = defineRoute({
  operationId: 'changeUsername',
  method: 'PUT',
  path: '/profile/me/username',
  tag: 'profile',
  summary: 'Change your username',
  description: 'Once in 30 days. The old name stays reserved for 90 days; you can change back to it.',
  body: z.strictObject({ username }),
  bodyExample: { username: 'minji_kim' },
  success: { status: 200, description: 'Your profile.', schema: ownProfile, example: ownProfileExample },
  problems: ['USERNAME_TAKEN', 'USERNAME_CHANGE_LIMIT'],
})

export const issueAccountLink = defineRoute({
  operationId: 'issueAccountLink',
  method: 'POST',
  path: '/internal/account-links/:link_id',
  tag: 'internal',
  summary: 'The address and the token of a mail that is about to be sent',
  description:
    'For notification-service; not reachable through the gateway. Tokens are signed, not stored: a retried mail may get the same link.',
  auth: 'public',
  params: z.object({ link_id: z.uuid() }),
  success: {
    status: 200,
    description: 'The data for the mail.',
    schema: z.object({
      purpose: accountMailPurpose,
      email: z.string(),
      locale,
      token: z.string(),
      expires_at: timestamp,
      sign_in: z
        .object({ device: z.string().nullable(), ip_prefix: z.string(), at: timestamp })
        .optional()
        .meta({ description: 'For a mail about a sign-in: the known details of the sign-in.' }),
    }),
    example: {
      purpose: 'verify_email',
      email: 'test@example.com',
      locale: 'ko',
      token: 'eyJhbGciOiJFZERTQSJ9.e30.c2ln',
      expires_at: '2026-01-28T10:00:00.000Z',
    },
  },
  problems: ['LINK_INVALID'],
})
