import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { typedText } from '../text/text.ts'
import { defineRoute, userRoles } from './define-route.ts'
import { idList, idParam, onePage, pageQuery, wholeNumber } from './paging.ts'

/** The part of a user that any signed-in user may see. */
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
  /** Null when hidden from the caller. */
  online: z.boolean().nullable(),
  last_seen_at: timestamp.nullable(),
})
export type Presence = z.infer<typeof presence>

/** What operators see of an account besides its public profile. */
const userAccount = z.object({
  email: z.string().nullable(),
  email_verified: z.boolean(),
  age: z.int().nullable(),
  phone: z.string().nullable().meta({ description: 'E.164.' }),
  role: z.enum(userRoles),
  state: z.enum(['reserved', 'active', 'leaving', 'deleting', 'deleted']).meta({
    description: '`reserved`: its registration is running. `leaving`: its deletion can still be taken back.',
  }),
  login_count: z.int().min(0),
  last_login_at: timestamp.nullable(),
  last_seen_at: timestamp.nullable(),
  online_count: z.int().min(0).meta({ description: 'How often the user came online.' }),
  created_at: timestamp,
})

const listedUser = publicProfile.extend({
  account: userAccount.optional().meta({ description: 'In the list for operators alone.' }),
})
export type ListedUser = z.infer<typeof listedUser>

const notWithIds = 'Not together with `user_ids`.'
const listFilters = ['skip', 'status', 'q', 'cursor'] as const

const usersQuery = z
  .object({
    ...pageQuery.shape,
    user_ids: idList(200)
      .optional()
      .meta({ examples: ['101,102'], description: 'Whose profiles. Left out: all users, for operators.' }),
    skip: wholeNumber({ min: 0, max: 10_000, example: 0 }).optional().meta({
      description: 'Users to skip, at most 10,000; `cursor` goes further, and is not moved by new users.',
    }),
    status: z
      .enum(['active', 'inactive'])
      .optional()
      .meta({ description: '`inactive`: reserved by a running registration, deleted, or being deleted.' }),
    q: typedText({ max: 254 })
      .optional()
      .meta({ description: 'The beginning of a username, or a complete email address.' }),
  })
  .check(({ value, issues }) => {
    const wrong = (path: string, message: string) =>
      issues.push({ code: 'custom', input: value, path: [path], message })
    if (value.user_ids !== undefined)
      for (const name of listFilters) if (value[name] !== undefined) wrong(name, notWithIds)
    if (value.skip !== undefined && value.cursor !== undefined) wrong('skip', 'Not together with `cursor`.')
  })

/** Returns public profiles by ids in no particular order or, for operators, the list of all users: one path for both. */
export const getUsers = defineRoute({
  operationId: 'getUsers',
  method: 'GET',
  path: '/users',
  tag: 'users',
  summary: 'Public profiles of up to 200 users; for operators, the list of all users',
  description:
    'With `user_ids`: omits users who do not exist or who have blocked you. Limited to 2,000 ids of users who are not your friends in 10 minutes and 10,000 per day, presence included. Without it: lists all users by id with their accounts; requires the operator role.',
  query: usersQuery,
  success: onePage(listedUser, 'The profiles.', profileExample),
  problems: ['RATE_LIMITED', 'CURSOR_INVALID', 'ACCOUNT_ROLE_REQUIRED'],
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
    'Also matches a Korean given name (`준오` finds 박준오). Hangul matches while it is being composed and by initial consonants (`ㄱㅁㅈ` finds 김민지). A complete email address finds users who allow it. Blocked users do not find each other. At most 20 searches per minute.',
  query: z.object({
    ...pageQuery.shape,
    q: typedText({ max: 254 }).meta({ description: 'The beginning of the name.', examples: ['김민'] }),
  }),
  success: onePage(
    publicProfile,
    'A page of profiles. It may have fewer than `limit` items although more pages follow.',
    profileExample,
  ),
  problems: ['CURSOR_INVALID', 'RATE_LIMITED'],
})

export const sendHeartbeat = defineRoute({
  operationId: 'sendHeartbeat',
  method: 'POST',
  path: '/users/me/presence',
  tag: 'presence',
  summary: 'Report your presence',
  description:
    'Valid for 60 s: repeat it every 30 s. An open stream does the same automatically. `offline` ends it for this session, after the usual grace period of 15 s.',
  body: z.strictObject({ state: z.enum(['online', 'offline']).default('online') }).optional(),
  bodyExample: { state: 'online' },
  success: {
    status: 200,
    description: 'Whether you are online on any device.',
    schema: z.object({
      online: z.boolean(),
      expires_in: z.int().meta({ description: 'Seconds until you become offline without another report.' }),
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
    'Null where hidden from you. Reciprocal: a user who hides their presence from you cannot see yours.',
  query: z.object({ user_ids: idList(200).meta({ examples: ['101,102'] }) }),
  success: {
    status: 200,
    description: 'The presence of each user.',
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
