import { friendNoteChanged } from '@bigtech/contracts'
import type { Outbox } from '@bigtech/outbox'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { FriendshipRepository } from './friendship.repository.ts'

/** A user's private notes about a friend. */
export interface FriendNote {
  readonly nickname: string | null
  readonly favourite: boolean
  readonly hidden: boolean
}

export type NoteChange = { readonly [Name in keyof FriendNote]?: FriendNote[Name] | undefined }

/** The users from whom friend requests are accepted. */
export type RequestsFrom = 'everyone' | 'friends_of_friends' | 'nobody'

export const noNote: FriendNote = { nickname: null, favourite: false, hidden: false }
/** Number of friends examined for a mutual friend. */
const MOST_FRIENDS_COMPARED = 5_000

/** Notes about friends, and settings, each private to one user. */
export class FriendNotesRepository {
  readonly #mysql: Mysql
  readonly #outbox: Outbox
  readonly #friendships: FriendshipRepository
  readonly #changes: { note(tx: Tx, ownerId: number, friendId: number): Promise<void> }

  /** @param changes notes which friend of whom has changed */
  constructor(
    mysql: Mysql,
    outbox: Outbox,
    friendships: FriendshipRepository,
    changes: { note(tx: Tx, ownerId: number, friendId: number): Promise<void> },
  ) {
    this.#mysql = mysql
    this.#outbox = outbox
    this.#friendships = friendships
    this.#changes = changes
  }

  /** Changes the given fields. Returns the new note, or undefined for a non-friend. */
  change(ownerId: number, friendId: number, change: NoteChange, correlationId: string) {
    return this.#mysql.transaction('change_note', async (tx): Promise<FriendNote | undefined> => {
      // Locked until the commit: a deletion of either account removes the note afterwards.
      const stored = await this.#friendships.lockExistingPair(tx, ownerId, friendId)
      if (!stored || stored.pair.friendsSince === null) return undefined
      const key = { ownerId_friendId: { ownerId, friendId } }
      const before = await tx.friendNote.findUnique({ where: key })
      const given = Object.entries(change).filter(([, value]) => value !== undefined)
      const { nickname, favourite, hidden } = { ...(before ?? noNote), ...Object.fromEntries(given) }
      const note = { nickname, favourite, hidden }
      await tx.friendNote.upsert({ where: key, create: { ownerId, friendId, ...note }, update: note })
      const payload = { user_id: ownerId, friend_id: friendId }
      await this.#changes.note(tx, ownerId, friendId)
      await this.#outbox.enqueue(tx, friendNoteChanged, payload, { correlationId })
      return note
    })
  }

  async requestsFrom(userId: number): Promise<RequestsFrom> {
    const row = await this.#mysql.run('friend_settings', (db) =>
      db.friendSettings.findUnique({ where: { userId } }),
    )
    return (row?.requestsFrom ?? 'everyone') as RequestsFrom
  }

  async setRequestsFrom(userId: number, requestsFrom: RequestsFrom): Promise<void> {
    await this.#mysql.run('friend_settings_save', (db) =>
      db.friendSettings.upsert({
        where: { userId },
        create: { userId, requestsFrom },
        update: { requestsFrom },
      }),
    )
  }

  /** Returns whether the receiver accepts requests of this sender. */
  async takesRequests(tx: Tx, receiverId: number, senderId: number): Promise<boolean> {
    const row = await tx.friendSettings.findUnique({ where: { userId: receiverId } })
    if (!row || row.requestsFrom === 'everyone') return true
    return row.requestsFrom === 'friends_of_friends' && hasCommonFriend(tx, receiverId, senderId)
  }

  /** Removes notes by and about the user, and their settings. */
  async forget(tx: Tx, userId: number): Promise<void> {
    await tx.friendNote.deleteMany({ where: { ownerId: userId } })
    await tx.friendNote.deleteMany({ where: { friendId: userId } })
    await tx.friendSettings.deleteMany({ where: { userId } })
  }
}

/** Returns whether two users have a mutual friend. Raw: both sides of a pair in one statement. */
async function hasCommonFriend(tx: Tx, one: number, other: number): Promise<boolean> {
  const friends = (userId: number) => tx.$queryRaw<{ id: bigint }[]>`
    (SELECT user_high AS id FROM friendships WHERE user_low = ${userId} AND status = 'friends' LIMIT ${MOST_FRIENDS_COMPARED})
    UNION ALL
    (SELECT user_low FROM friendships WHERE user_high = ${userId} AND status = 'friends' LIMIT ${MOST_FRIENDS_COMPARED})`
  const known = new Set((await friends(one)).map(({ id }) => id))
  return (await friends(other)).some(({ id }) => known.has(id))
}
