import { z } from 'zod'
import { timestamp, userId } from '../ids.ts'
import { idParam, pageOf } from './paging.ts'

const requestId = z
  .int()
  .positive()
  .meta({ description: 'Friend request id.', examples: [12] })
export const requestParams = z.object({ id: idParam })
export const userParams = z.object({ user_id: idParam })

/** Another user in a list. Names come from user-service, or from the local copy during an outage. */
export const person = z.object({
  user_id: userId,
  username: z.string(),
  display_name: z.string(),
  status_message: z.string().nullable(),
  profile_image_url: z.string().nullable(),
})
const presenceFields = {
  online: z.boolean().nullable().meta({ description: 'Null when presence is unknown or hidden from you.' }),
  last_seen_at: timestamp.nullable(),
}
export const stale = z.boolean().meta({
  description:
    'True when user-service was asked and did not respond: presence may be unknown, names of new accounts incomplete.',
})

/** A request as its two parties see it. The sender of a rejected request still sees `pending`. */
export const friendRequest = z.object({
  request_id: requestId,
  from_user_id: userId,
  to_user_id: userId,
  status: z.enum(['pending', 'accepted', 'rejected']),
  created_at: timestamp,
  expires_at: timestamp,
})
export type FriendRequest = z.infer<typeof friendRequest>

export const noteFields = {
  nickname: z.string().nullable().meta({ description: 'Your nickname for this friend. Only you see it.' }),
  favourite: z.boolean(),
  hidden: z
    .boolean()
    .meta({ description: 'Hidden friends are omitted from your list unless you request them.' }),
}
export const friend = z.object({
  ...person.shape,
  ...presenceFields,
  ...noteFields,
  friends_since: timestamp,
  index_letter: z.string().meta({
    description: 'Index letter of the nickname or display name: ㄱ to ㅎ, A to Z, or `#`.',
  }),
})
export const listedFriendRequest = z.object({
  ...friendRequest.shape,
  user: z.object({ ...person.shape, ...presenceFields }).meta({ description: 'The other person.' }),
  message: z.string().nullable().meta({ description: 'Text the sender attached to the request.' }),
})
export const blockedUser = z.object({ ...person.shape, blocked_at: timestamp })
export const restrictedUser = z.object({ ...person.shape, restricted_at: timestamp })
export const friendSuggestion = z.object({
  ...person.shape,
  ...presenceFields,
  mutual_friends: z.int().positive(),
})

export const requestExample: FriendRequest = {
  request_id: 12,
  from_user_id: 100,
  to_user_id: 101,
  status: 'pending',
  created_at: '2026-01-27T10:00:00.000Z',
  expires_at: '2026-02-26T10:00:00.000Z',
}
export const personExample = {
  user_id: 101,
  username: 'jisoo',
  display_name: '지수',
  status_message: '안녕!',
  profile_image_url: null,
}
export const noteExample = { nickname: '우리 지수', favourite: true, hidden: false }
export const presenceExample = { online: true, last_seen_at: '2026-01-27T09:59:58.000Z' }

export const friendExample = {
  ...personExample,
  ...presenceExample,
  ...noteExample,
  friends_since: '2026-01-27T10:00:00.000Z',
  index_letter: 'ㅇ',
}

/** Returns the successful response of a list of people, which is still served while user-service is down. */
export function friendPage<Item extends z.ZodType>(item: Item, description: string, example: z.input<Item>) {
  return {
    status: 200,
    description,
    schema: pageOf(item).extend({ stale }),
    example: { items: [example], next_cursor: null, stale: false },
  } as const
}
