import type { DescribedPerson } from '../people/people.service.ts'
import type { FriendState } from './friend-changes.repository.ts'
import type { PendingRequest } from './friend-lists.repository.ts'
import type { FriendNote } from './friend-notes.repository.ts'
import { indexLetter } from './name-index.ts'

/** Returns a pending request. */
export function requestView(row: PendingRequest) {
  return {
    request_id: row.id,
    from_user_id: row.from,
    to_user_id: row.to,
    status: 'pending' as const,
    created_at: row.sentAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
  }
}

/** Returns a public profile. */
export function personView(person: DescribedPerson) {
  return {
    user_id: person.userId,
    username: person.username,
    display_name: person.displayName,
    status_message: person.statusMessage,
    profile_image_url: person.profileImageUrl,
  }
}

/** Returns a friend: profile, presence and the user's own notes. */
export function friendView(person: DescribedPerson, friend: FriendState) {
  return {
    ...personView(person),
    ...presenceView(person),
    ...noteView(friend),
    friends_since: friend.friendsSince.toISOString(),
    index_letter: indexLetter(friend.nickname ?? person.displayName),
  }
}

/** Returns the user's own notes about a friend. */
export function noteView({ nickname, favourite, hidden }: FriendNote) {
  return { nickname, favourite, hidden }
}

/** Returns the presence, null where it is hidden or unknown. */
export function presenceView(person: DescribedPerson) {
  return { online: person.online, last_seen_at: person.lastSeenAt }
}
