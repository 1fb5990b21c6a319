import { z } from 'zod'
import { timestamp } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { onePage, pageQuery } from './paging.ts'

export const activityType = z.enum([
  'signed_in',
  'sessions_ended',
  'password_changed',
  'password_reset',
  'email_verified',
  'email_changed',
  'email_change_undone',
  'username_changed',
  'profile_updated',
  'totp_enabled',
  'totp_disabled',
  'passkey_added',
  'passkey_removed',
  'export_requested',
  'export_downloaded',
  'deletion_requested',
  'deletion_cancelled',
  'friend_added',
  'room_created',
])
export type ActivityType = z.infer<typeof activityType>

const activity = z.object({
  activity_id: z.int(),
  type: activityType.meta({ description: 'New types may be added: show `description` for unknown types.' }),
  description: z.string().meta({ description: 'In English, for types unknown to the client.' }),
  data: z
    .record(z.string(), z.unknown())
    .meta({ description: 'Ids and names of the involved objects, by type.' }),
  device: z.string().nullable(),
  ip_prefix: z.string().nullable().meta({ description: 'The network prefix, not the full address.' }),
  created_at: timestamp,
})

export const listMyActivities = defineRoute({
  operationId: 'listMyActivities',
  method: 'GET',
  path: '/users/me/activities',
  tag: 'account',
  summary: 'Activity of your account, newest first',
  description:
    'Kept for 180 days. Activities reported by other services (friends, rooms) appear about a second later.',
  query: pageQuery,
  success: onePage(activity, 'A page of activities.', {
    activity_id: 42,
    type: 'signed_in',
    description: 'Signed in',
    data: { session_id: '0194a8a0-5b00-7000-8000-000000000001' },
    device: 'Chrome on Windows',
    ip_prefix: '203.0.113.0/24',
    created_at: '2026-01-27T10:00:00.000Z',
  }),
  problems: ['CURSOR_INVALID'],
})
