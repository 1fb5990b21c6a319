import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { linkToken } from './user-fields.ts'
import { ownProfile, ownProfileExample, userSettings, userSettingsExample } from './user-profile.ts'

const tag = 'export'
const exampleTime = '2026-01-27T10:00:00.000Z'
const path = '/profile/me/export'

const dataExport = z.object({
  state: z.enum(['pending', 'ready', 'failed']).meta({
    description:
      '`pending`: it is being built. `ready`: a link to it was mailed. `failed`: a part could not be had for a day; ask again.',
  }),
  requested_at: timestamp,
  finished_at: timestamp.nullable(),
  parts_done: z.int().min(0),
  parts_total: z.int().positive(),
  size_bytes: z.int().min(0).nullable().meta({ description: 'Of the archive, when it is ready.' }),
  expires_at: timestamp.nullable().meta({ description: 'When the archive is deleted.' }),
})
export type DataExport = z.infer<typeof dataExport>

const pendingExample: DataExport = {
  state: 'pending',
  requested_at: exampleTime,
  finished_at: null,
  parts_done: 0,
  parts_total: 5,
  size_bytes: null,
  expires_at: null,
}
const readyExample: DataExport = {
  state: 'ready',
  requested_at: exampleTime,
  finished_at: '2026-01-27T10:00:07.000Z',
  parts_done: 5,
  parts_total: 5,
  size_bytes: 48_213,
  expires_at: '2026-02-03T10:00:07.000Z',
}

export const requestDataExport = defineRoute({
  operationId: 'requestDataExport',
  method: 'POST',
  path,
  tag,
  summary: 'Ask for an archive of everything that is stored of you',
  description:
    'The archive is built in the background; a mail with a link tells you when it is ready. While one is being built, asking again changes nothing; a new one replaces the one before. At most 5 a day.',
  success: { status: 202, description: 'On its way.', schema: dataExport, example: pendingExample },
  problems: ['RATE_LIMITED'],
})

export const getDataExport = defineRoute({
  operationId: 'getDataExport',
  method: 'GET',
  path,
  tag,
  summary: 'How far your archive is',
  success: { status: 200, description: 'Your newest archive.', schema: dataExport, example: readyExample },
  problems: ['EXPORT_NOT_FOUND'],
})

export const sendDataExportLink = defineRoute({
  operationId: 'sendDataExportLink',
  method: 'POST',
  path: '/profile/me/export/link',
  tag,
  summary: 'Send the link to your archive again',
  description: 'A newer link replaces the older one. At most 5 an hour.',
  success: { status: 202, description: 'On its way.' },
  problems: ['EXPORT_NOT_FOUND', 'EXPORT_NOT_READY', 'RATE_LIMITED'],
})

const archive = z.object({
  exported_at: timestamp,
  profile: ownProfile,
  settings: userSettings,
  sign_in: z.object({
    login_count: z.int(),
    last_login_at: timestamp.nullable(),
    last_seen_at: timestamp.nullable(),
    password_changed_at: timestamp.nullable(),
    authenticator_app_since: timestamp.nullable(),
    recovery_codes_left: z.int(),
    passkeys: z.array(
      z.object({ name: z.string(), created_at: timestamp, last_used_at: timestamp.nullable() }),
    ),
    linked_accounts: z.array(z.object({ provider: z.string(), linked_at: timestamp })),
  }),
  sessions: z.array(
    z.object({
      device: z.string(),
      ip_prefix: z.string(),
      created_at: timestamp,
      last_seen_at: timestamp,
      ended_at: timestamp.nullable(),
    }),
  ),
  activities: z.array(
    z.object({
      type: z.string(),
      data: z.record(z.string(), z.unknown()),
      device: z.string().nullable(),
      ip_prefix: z.string().nullable(),
      created_at: timestamp,
    }),
  ),
  reports: z
    .array(
      z.object({
        target_id: z.int(),
        message_id: z.string().nullable(),
        reason: z.string(),
        comment: z.string().nullable(),
        created_at: timestamp,
        closed_at: timestamp.nullable(),
      }),
    )
    .meta({ description: 'What you reported. What others wrote is not yours, and left out.' }),
  moderation_notices: z.array(
    z.object({
      action: z.string(),
      message: z.string().nullable(),
      until: timestamp.nullable(),
      created_at: timestamp,
      acknowledged_at: timestamp.nullable(),
    }),
  ),
  friends: z.unknown().meta({ description: "friend-service's part." }),
  rooms: z.unknown().meta({ description: "chat-service's part." }),
  notifications: z.unknown().meta({ description: "notification-service's part." }),
  files: z.unknown().meta({ description: "media-service's part." }),
})

export const downloadDataExport = defineRoute({
  operationId: 'downloadDataExport',
  method: 'POST',
  path: '/profile/me/export/download',
  tag,
  summary: 'Download your archive with the link that was mailed',
  description:
    'Takes both: your session and the token of the mail. The link works once, for 7 days; should the download break off, send another one.',
  body: z.strictObject({ token: linkToken }),
  bodyExample: { token: 'eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI1ZjBjIn0.c2lnbmF0dXJl' },
  success: {
    status: 200,
    description: 'One JSON document, as a file.',
    contentType: 'application/json',
    schema: archive,
    example: {
      exported_at: exampleTime,
      profile: ownProfileExample,
      settings: userSettingsExample,
      sign_in: {
        login_count: 3,
        last_login_at: exampleTime,
        last_seen_at: exampleTime,
        password_changed_at: exampleTime,
        authenticator_app_since: null,
        recovery_codes_left: 0,
        passkeys: [],
        linked_accounts: [],
      },
      sessions: [],
      activities: [],
      reports: [],
      moderation_notices: [],
      friends: { friends: [] },
      rooms: { rooms: [], messages: [] },
      notifications: { deliveries: [] },
      files: { files: [] },
    },
  },
  problems: ['LINK_INVALID'],
})
