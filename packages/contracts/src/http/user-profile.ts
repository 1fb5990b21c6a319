import { z } from 'zod'
import { presenceVisibility } from '../events/user-events.ts'
import { timestamp, userId } from '../ids.ts'
import { defineRoute, userRoles } from './define-route.ts'
import {
  fileId,
  oneOfTwoPictures,
  ownPictureUrl,
  pictureProblems,
  storageUsage,
  storageUsageExample,
} from './file-shapes.ts'
import { age, displayName, locale, phone, proofOfIdentity, statusMessage } from './user-fields.ts'

const exampleTime = '2026-01-27T10:00:00.000Z'
const exampleDeletion = '5f0c6f1e-9b1f-4a57-8f0c-0f6f3f2d9f11'

/** A user's own account and profile. */
export const ownProfile = z.object({
  id: userId,
  user_id: userId,
  email: z.string(),
  email_verified: z.boolean(),
  username: z.string(),
  display_name: z.string(),
  status_message: z.string().nullable(),
  profile_image_url: z.string().nullable().meta({
    description: 'Relative to the origin of the API. Requires no token.',
  }),
  age: z.int().nullable().meta({ description: 'Shown to you and to operators alone.' }),
  phone: z.string().nullable().meta({ description: 'E.164. Shown to you and to operators alone.' }),
  role: z.enum(userRoles).meta({ description: 'Your role: `moderator` can read reports.' }),
  created_at: timestamp,
})
export type OwnProfile = z.infer<typeof ownProfile>

export const ownProfileExample: OwnProfile = {
  id: 100,
  user_id: 100,
  email: 'test@example.com',
  email_verified: true,
  username: 'testuser',
  display_name: '테스트 유저',
  status_message: '휴가 중',
  profile_image_url: null,
  age: 29,
  phone: '+821012345678',
  role: 'user',
  created_at: exampleTime,
}

const ownProfileWithStorage = z.object({
  ...ownProfile.shape,
  storage: storageUsage.nullable().meta({ description: 'Null while media-service does not respond.' }),
})

export const userSettings = z.object({
  presence_visibility: presenceVisibility.meta({
    description: 'Who may see your presence; reciprocal: you see it only of users who may see yours.',
  }),
  findable_by_name: z.boolean().meta({
    description:
      'Whether a search for your username or display name finds you. Friends always see you in their list.',
  }),
  findable_by_email: z
    .boolean()
    .meta({ description: 'Whether a search for your exact email address finds you.' }),
  locale,
})
export type UserSettings = z.infer<typeof userSettings>

export const userSettingsExample: UserSettings = {
  presence_visibility: 'friends',
  findable_by_name: true,
  findable_by_email: false,
  locale: 'ko',
}

const oneFieldAtLeast = 'Pass at least one field.'

export const getMyProfile = defineRoute({
  operationId: 'getMyProfile',
  method: 'GET',
  path: '/profile/me',
  tag: 'profile',
  summary: 'Your profile',
  success: {
    status: 200,
    description: 'Your profile, and how much of your storage is used.',
    schema: ownProfileWithStorage,
    example: { ...ownProfileExample, storage: storageUsageExample },
  },
})

export const updateMyProfile = defineRoute({
  operationId: 'updateMyProfile',
  method: 'PUT',
  path: '/profile/me',
  tag: 'profile',
  summary: 'Change your profile',
  description:
    'Omitted fields are unchanged. For a picture, upload a file with the purpose `avatar`, wait until it is `ready`, and send its `file_id` as `profile_image_file_id`; null removes the picture.',
  body: z
    .strictObject({
      display_name: displayName.optional(),
      status_message: statusMessage.nullable().optional(),
      profile_image_file_id: fileId.nullable().optional(),
      profile_image_url: ownPictureUrl.nullable().optional(),
      age: age.nullable().optional(),
      phone: phone.nullable().optional(),
    })
    .refine((body) => Object.keys(body).length > 0, oneFieldAtLeast)
    .refine((body) => !body.profile_image_file_id || !body.profile_image_url, {
      error: oneOfTwoPictures,
      path: ['profile_image_url'],
    }),
  bodyExample: { display_name: '테스트 유저', status_message: '휴가 중' },
  success: {
    status: 200,
    description: 'Your profile.',
    schema: ownProfile,
    example: ownProfileExample,
  },
  problems: pictureProblems,
})

export const getMySettings = defineRoute({
  operationId: 'getMySettings',
  method: 'GET',
  path: '/profile/me/settings',
  tag: 'profile',
  summary: 'Your privacy settings and language',
  success: { status: 200, description: 'Your settings.', schema: userSettings, example: userSettingsExample },
})

export const updateMySettings = defineRoute({
  operationId: 'updateMySettings',
  method: 'PUT',
  path: '/profile/me/settings',
  tag: 'profile',
  summary: 'Change your privacy settings and language',
  description: 'Omitted fields are unchanged.',
  body: z
    .strictObject({
      presence_visibility: presenceVisibility.optional(),
      findable_by_name: z.boolean().optional(),
      findable_by_email: z.boolean().optional(),
      locale: locale.optional(),
    })
    .refine((body) => Object.keys(body).length > 0, oneFieldAtLeast),
  bodyExample: { presence_visibility: 'friends' },
  success: {
    status: 200,
    description: 'Your settings.',
    schema: userSettings,
    example: userSettingsExample,
  },
})

const deletionState = z.enum(['scheduled', 'running', 'completed'])

const deletion = z.object({
  deletion_id: z.uuid(),
  state: deletionState,
  message_policy: z.enum(['keep', 'remove']),
  requested_at: timestamp,
  due_at: timestamp.meta({ description: 'When the deletion begins. A sign-in before that cancels it.' }),
  completed_at: timestamp.nullable(),
  steps: z.array(
    z.object({
      step: z.string().meta({ description: 'The step of the deletion, or the service that performs it.' }),
      state: z.enum(['pending', 'done']),
      done_at: timestamp.nullable(),
    }),
  ),
})
export type Deletion = z.infer<typeof deletion>

const deletionExample: Deletion = {
  deletion_id: exampleDeletion,
  state: 'scheduled',
  message_policy: 'keep',
  requested_at: exampleTime,
  due_at: '2026-02-03T10:00:00.000Z',
  completed_at: null,
  steps: [
    { step: 'sessions', state: 'done', done_at: exampleTime },
    { step: 'profile', state: 'pending', done_at: null },
    { step: 'friend-service', state: 'pending', done_at: null },
    { step: 'chat-service', state: 'pending', done_at: null },
  ],
}

export const deleteMyAccount = defineRoute({
  operationId: 'deleteMyAccount',
  method: 'DELETE',
  path: '/profile/me',
  tag: 'profile',
  summary: 'Delete your account',
  description:
    'Signs you out everywhere and hides you immediately. The deletion begins after 7 days (configurable); a sign-in before that cancels it. See `GET /auth/deletions/{deletion_id}`.',
  body: z.strictObject({
    ...proofOfIdentity,
    message_policy: z.enum(['keep', 'remove']).default('keep').meta({
      description:
        '`keep`: your messages stay, attributed to an unknown user; `remove`: they are deleted too.',
    }),
  }),
  bodyExample: { password: 'Test1234!@', message_policy: 'keep' },
  success: {
    status: 202,
    description: 'Scheduled. Keep `deletion_id`: it is the only way to follow the deletion.',
    schema: deletion,
    example: deletionExample,
  },
  problems: ['PASSWORD_WRONG', 'SECOND_FACTOR_REQUIRED', 'SECOND_FACTOR_WRONG', 'RATE_LIMITED', 'OVERLOADED'],
})

export const getDeletion = defineRoute({
  operationId: 'getDeletion',
  method: 'GET',
  path: '/auth/deletions/:deletion_id',
  tag: 'auth',
  summary: 'Progress of an account deletion',
  description: 'Public to anyone who knows the id, because the account can no longer sign in.',
  auth: 'public',
  params: z.object({ deletion_id: z.uuid().meta({ examples: [exampleDeletion] }) }),
  success: { status: 200, description: 'Each step.', schema: deletion, example: deletionExample },
  problems: ['DELETION_NOT_FOUND'],
})
