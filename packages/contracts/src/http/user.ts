import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { defineRoute } from './define-route.ts'
import { idList } from './paging.ts'

/** What anybody signed in may see of a user. */
export const publicProfile = z.object({
  user_id: userId,
  username: z.string(),
  display_name: z.string(),
  status_message: z.string().nullable(),
  profile_image_url: z.string().nullable(),
})
export type PublicProfile = z.infer<typeof publicProfile>

export const presence = z.object({
  user_id: userId,
  /** Null when this user does not show it to you. */
  online: z.boolean().nullable(),
  last_seen_at: timestamp.nullable(),
})
export type Presence = z.infer<typeof presence>

/** Those of the users that exist and are not hidden from the caller; no order promised. */
export const getUsers = defineRoute({
  operationId: 'getUsers',
  method: 'GET',
  path: '/users',
  tag: 'users',
  summary: 'Public profiles of up to 200 users',
  query: z.object({ user_ids: idList(200) }),
  success: { status: 200, description: 'The profiles.', schema: z.object({ items: z.array(publicProfile) }) },
})

export const getPresence = defineRoute({
  operationId: 'getPresence',
  method: 'GET',
  path: '/users/presence',
  tag: 'presence',
  summary: 'Presence of up to 200 users',
  query: z.object({ user_ids: idList(200) }),
  success: {
    status: 200,
    description: 'The presence of each.',
    schema: z.object({ items: z.array(presence) }),
  },
})
