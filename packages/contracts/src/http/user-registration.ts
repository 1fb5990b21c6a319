import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { notificationPreferences } from './notification.ts'
import { displayName, email, locale, newPassword, username } from './user-fields.ts'

/** Base64 characters of a picture; fits the body limit of every service. */
const maxPictureCharacters = 240_000
const exampleTime = '2026-01-27T10:00:00.000Z'
const exampleRegistration = '5f0c7a52-8f7c-4f0e-9a52-3f1f6f0c8d11'

const registrationPicture = z.strictObject({
  mime: z.enum(['image/jpeg', 'image/png', 'image/webp']),
  data: z
    .string()
    .min(4, { abort: true, error: 'Must not be empty.' })
    .max(maxPictureCharacters, { abort: true, error: 'At most 240,000 characters (180 kB).' })
    .regex(z.regexes.base64, 'Must be base64.')
    .meta({
      description: 'Base64, at most 180 kB: scale the picture to 512 pixels, the size that is shown.',
    }),
})
export type RegistrationPicture = z.infer<typeof registrationPicture>

export const registrationSteps = ['reserve', 'picture', 'settings', 'activate'] as const

const registration = z.object({
  registration_id: z.uuid(),
  state: z.enum(['running', 'completed', 'failed']),
  user_id: userId.nullable().meta({ description: 'The new account once the registration is completed.' }),
  requested_at: timestamp,
  due_at: timestamp.meta({ description: 'A registration that is still running then fails.' }),
  finished_at: timestamp.nullable(),
  failure: z
    .object({
      code: z.enum(['PICTURE_REFUSED', 'SETTINGS_REFUSED', 'EXPIRED']),
      detail: z.string(),
    })
    .nullable()
    .meta({ description: 'Why it failed. Address and username are free again.' }),
  steps: z.array(
    z.object({
      step: z.enum(registrationSteps),
      state: z.enum(['pending', 'done']),
      done_at: timestamp.nullable(),
    }),
  ),
})
export type RegistrationView = z.infer<typeof registration>

const registrationExample: RegistrationView = {
  registration_id: exampleRegistration,
  state: 'running',
  user_id: null,
  requested_at: exampleTime,
  due_at: '2026-01-27T10:15:00.000Z',
  finished_at: null,
  failure: null,
  steps: [
    { step: 'reserve', state: 'done', done_at: exampleTime },
    { step: 'picture', state: 'pending', done_at: null },
    { step: 'activate', state: 'pending', done_at: null },
  ],
}

export const startRegistration = defineRoute({
  operationId: 'startRegistration',
  method: 'POST',
  path: '/auth/registrations',
  tag: 'auth',
  summary: 'Sign up with a picture and notification preferences',
  description:
    'Reserves address and username immediately; the account can sign in when the registration is `completed`. If a step is refused, or not done within 15 minutes, the registration fails and frees both. Without picture and preferences use `POST /auth/register`, which answers with the account.',
  auth: 'public',
  body: z.strictObject({
    email,
    username,
    password: newPassword,
    display_name: displayName.optional().meta({ description: 'Defaults to the username.' }),
    locale: locale.optional(),
    picture: registrationPicture.optional(),
    notification_preferences: notificationPreferences.optional(),
  }),
  bodyExample: {
    email: 'test@example.com',
    username: 'testuser',
    password: 'Test1234!@',
    notification_preferences: {
      message_push: true,
      friend_request_push: false,
      mentions_when_muted: true,
      show_preview: false,
      quiet_hours: null,
    },
  },
  success: {
    status: 202,
    description: 'Reserved. Keep `registration_id`: it is the only way to follow the registration.',
    schema: registration,
    example: registrationExample,
  },
  problems: ['EMAIL_TAKEN', 'USERNAME_TAKEN', 'RATE_LIMITED', 'OVERLOADED'],
})

export const getRegistration = defineRoute({
  operationId: 'getRegistration',
  method: 'GET',
  path: '/auth/registrations/:registration_id',
  tag: 'auth',
  summary: 'Progress of a registration',
  description: 'Public to anyone who knows the id. Available for 7 days after the registration has ended.',
  auth: 'public',
  params: z.object({ registration_id: z.uuid().meta({ examples: [exampleRegistration] }) }),
  success: { status: 200, description: 'Each step.', schema: registration, example: registrationExample },
  problems: ['REGISTRATION_NOT_FOUND'],
})
