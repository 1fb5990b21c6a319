import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { typedText } from '../text/text.ts'
import { defineRoute } from './define-route.ts'
import { idList, idParam, pageOf, pageQuery } from './paging.ts'

/** What anybody signed in may see of a user. */
export const publicProfile = z.object({
  user_id: userId,
  username: z.string(),
  display_name: z.string(),
  status_message: z.string().nullable(),
  profile_image_url: z.string().nullable(),
})
export type PublicProfile = z.infer<typeof publicProfile>

const profileExample: PublicProfile = {
  user_id: 101,
  username: 'kim_minji',
  display_name: '김민지',
  status_message: '휴가 중',
  profile_image_url: null,
}

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
  description:
    'Users who do not exist, or who have blocked you, are left out. Of users who are not your friends at most 2,000 ids in 10 minutes and 10,000 a day, presence included.',
  query: z.object({ user_ids: idList(200).meta({ examples: ['101,102'] }) }),
  success: {
    status: 200,
    description: 'The profiles.',
    schema: z.object({ items: z.array(publicProfile) }),
    example: { items: [profileExample] },
  },
  problems: ['RATE_LIMITED'],
})

export const getUser = defineRoute({
  operationId: 'getUser',
  method: 'GET',
  path: '/users/:user_id',
  tag: 'users',
  summary: 'Public profile of a user',
  params: z.object({ user_id: idParam.meta({ examples: [101] }) }),
  success: { status: 200, description: 'The profile.', schema: publicProfile, example: profileExample },
  problems: ['USER_NOT_FOUND', 'RATE_LIMITED'],
})

export const searchUsers = defineRoute({
  operationId: 'searchUsers',
  method: 'GET',
  path: '/users/search',
  tag: 'users',
  summary: 'Find users by the beginning of their username, or of a word of their display name',
  description:
    'A Korean given name is found as well (`준오` finds 박준오). Hangul is found while it is being typed and by initial consonants (`ㄱㅁㅈ` finds 김민지). A complete email address finds whoever allows it. Blocked users do not find each other. At most 20 searches a minute.',
  query: z.object({
    ...pageQuery.shape,
    q: typedText({ max: 254 }).meta({ description: 'What the name begins with.', examples: ['김민'] }),
  }),
  success: {
    status: 200,
    description: 'A page of profiles. It may be shorter than `limit` before the last one.',
    schema: pageOf(publicProfile),
    example: { items: [profileExample], next_cursor: null },
  },
  problems: ['CURSOR_INVALID', 'RATE_LIMITED'],
})

export const sendHeartbeat = defineRoute({
  operationId: 'sendHeartbeat',
  method: 'POST',
  path: '/users/me/presence',
  tag: 'presence',
  summary: 'Say that you are there',
  description:
    'Counts for 60 s: repeat it every 30 s. An open stream does the same by itself. `offline` takes this session back, with the usual 15 s of grace.',
  body: z.strictObject({ state: z.enum(['online', 'offline']).default('online') }).optional(),
  bodyExample: { state: 'online' },
  success: {
    status: 200,
    description: 'Whether you count as online now, over all your devices.',
    schema: z.object({
      online: z.boolean(),
      expires_in: z.int().meta({ description: 'Seconds until you count as offline without another sign.' }),
    }),
    example: { online: true, expires_in: 60 },
  },
})

export const getPresence = defineRoute({
  operationId: 'getPresence',
  method: 'GET',
  path: '/users/presence',
  tag: 'presence',
  summary: 'Presence of up to 200 users',
  description:
    'Null where a user does not show it to you. Reciprocal: who hides it from you does not see yours either.',
  query: z.object({ user_ids: idList(200).meta({ examples: ['101,102'] }) }),
  success: {
    status: 200,
    description: 'The presence of each.',
    schema: z.object({ items: z.array(presence) }),
    example: {
      items: [
        { user_id: 101, online: true, last_seen_at: '2026-01-27T10:00:00.000Z' },
        { user_id: 102, online: null, last_seen_at: null },
      ],
    },
  },
  problems: ['RATE_LIMITED'],
})
