import { type AuthenticatedContext, decodeCursor, encodeCursor, Problem, toPage } from '@bigtech/service-kit'
import { z } from 'zod'
import type { DescribedPerson, DescribedUser, PeopleService } from '../people/people.service.ts'
import type { ChangePosition, FriendChangesRepository } from './friend-changes.repository.ts'
import { exportFriendsOf } from './friend-export.ts'
import type {
  After,
  FriendListsRepository,
  ListedFriend,
  PendingRequest,
  Relation,
  Suggestion,
} from './friend-lists.repository.ts'
import { friendView, personView, presenceView, requestView } from './friend-views.ts'
import { compareNames } from './name-index.ts'

export interface FriendListsDependencies {
  readonly repository: FriendListsRepository
  readonly changes: Pick<FriendChangesRepository, 'head' | 'listChanges' | 'profileChanges'>
  readonly people: PeopleService
  readonly now: () => number
}

interface PageQuery {
  readonly limit: number
  readonly cursor?: string | undefined
}

/** The maximum of a DATETIME column: a cursor is untrusted input. */
const LAST_MOMENT_MS = Date.parse('9999-12-31T23:59:59.999Z')
const relationCursor = z.tuple([z.int().min(0).max(LAST_MOMENT_MS), z.int().positive()])
const requestCursor = z.tuple([z.int().positive()])
const suggestionCursor = z.tuple([z.int().positive(), z.int().positive()])
/** Keeps a cursor within 200 characters. */
const CURSOR_CHARACTERS = 20
const nameCursor = z.tuple([z.string(), z.int().positive()])
/** At a time. */
const MOST_CHANGES = 100
const changeCursor = z.tuple([z.int().min(0), z.int().min(0).max(LAST_MOMENT_MS), z.int().min(0)])
/** Changes are kept for a little longer than this. */
const CHANGES_KNOWN_MS = 30 * 86_400_000
/** A profile that is stored at a moment is readable some time later: changes of the last minute are returned again. */
const PROFILE_OVERLAP_MS = 60_000

/** Builds the lists: one statement for the page, then what is missing of names and presence for all its users at once. */
export class FriendListsService {
  readonly #deps: FriendListsDependencies

  constructor(dependencies: FriendListsDependencies) {
    this.#deps = dependencies
  }

  async listFriends(
    ctx: AuthenticatedContext,
    query: PageQuery & { readonly sort: 'recent' | 'name'; readonly show: 'visible' | 'hidden' },
  ) {
    const me = ctx.actor.userId
    const hidden = query.show === 'hidden'
    const read = query.sort === 'name' ? this.#friendsByName : this.#newestFriends
    const { rows, position } = await read.call(this, me, query, hidden)
    const described = await this.#describe(ctx, rows.slice(0, query.limit))
    const page = toPage(rows, query.limit, position, (row) =>
      friendView(described.of(row.userId), { ...row, friendsSince: row.at }),
    )
    return { ...page, stale: described.stale }
  }

  async #newestFriends(me: number, query: PageQuery, hidden: boolean): Promise<FriendRows> {
    const after = relationAfter(query.cursor)
    const rows = await this.#deps.repository.friends(me, query.limit + 1, after, hidden)
    return { rows, position: positionOf }
  }

  /** Returns a page after the last friend shown or, if that friendship has ended, after the last name. */
  async #friendsByName(me: number, query: PageQuery, hidden: boolean): Promise<FriendRows> {
    const [name, userId] = decodeCursor(nameCursor, query.cursor) ?? []
    const after = name === undefined || userId === undefined ? undefined : { name, userId }
    const friends = await this.#deps.repository.friendsUnordered(me, hidden)
    const named = friends
      .map((row) => ({ ...row, name: row.nickname ?? row.person?.displayName ?? '' }))
      .sort(compareNames)
    const last = after ? named.findIndex((row) => row.userId === after.userId) : -1
    const isAhead = (row: (typeof named)[number]) => !after || compareNames(row, after) > 0
    const rest = last >= 0 ? named.slice(last + 1) : named.filter(isAhead)
    const rows = rest.slice(0, query.limit + 1)
    const names = new Map(rows.map((row) => [row.userId, [...row.name].slice(0, CURSOR_CHARACTERS).join('')]))
    return { rows, position: (row) => [names.get(row.userId), row.userId] }
  }

  /**
   * Returns the friends that changed after a position, each as of now, and the position to continue from. Without a
   * position: the present one alone. @throws Problem FRIEND_CHANGES_EXPIRED, CURSOR_INVALID
   */
  async listFriendChanges(ctx: AuthenticatedContext, since?: string) {
    const { changes } = this.#deps
    const me = ctx.actor.userId
    const now = this.#deps.now()
    const present = { profilesMs: now - PROFILE_OVERLAP_MS, profileId: 0 }
    const head = await changes.head(me)
    const after = positionSince(since)
    if (!after)
      return { items: [], since: cursorAt({ version: head, ...present }), has_more: false, stale: false }
    // A version that was never given out: the log is older than the client, as after a restore.
    if (after.profilesMs < now - CHANGES_KNOWN_MS || after.version > head)
      throw new Problem('FRIEND_CHANGES_EXPIRED')
    const listed = await changes.listChanges(me, after.version, MOST_CHANGES)
    const room = MOST_CHANGES - listed.length
    const profiles = room > 0 ? await changes.profileChanges(me, after, room) : []
    const known = new Set(listed.map(({ userId }) => userId))
    const items = [...listed, ...profiles.filter(({ userId }) => !known.has(userId))]
    const friends = items.filter(({ friend }) => friend !== null)
    const described = await this.#describe(ctx, friends)
    const isWhole = listed.length + profiles.length < MOST_CHANGES
    const last = profiles.at(-1)
    const reached = last ? { profilesMs: last.changedMs, profileId: last.userId } : after
    const version = listed.at(-1)?.version ?? after.version
    return {
      items: items.map(({ userId, friend }) => ({
        user_id: userId,
        removed: friend === null,
        friend: friend && friendView(described.of(userId), friend),
      })),
      since: cursorAt({ ...(isWhole ? present : reached), version }),
      has_more: !isWhole,
      stale: described.stale,
    }
  }

  /** Returns one user's public profile in the format of lists. */
  async describeOne(ctx: AuthenticatedContext, userId: number) {
    const described = await this.#describe(ctx, [{ userId }], { presence: false })
    return personView(described.of(userId))
  }

  listBlockedUsers(ctx: AuthenticatedContext, query: PageQuery) {
    return this.#listFlagged(ctx, query, 'blocked', (at) => ({ blocked_at: at }))
  }

  listRestrictedUsers(ctx: AuthenticatedContext, query: PageQuery) {
    return this.#listFlagged(ctx, query, 'restricted', (at) => ({ restricted_at: at }))
  }

  async #listFlagged<Time extends object>(
    ctx: AuthenticatedContext,
    query: PageQuery,
    flag: 'blocked' | 'restricted',
    timeView: (at: string) => Time,
  ) {
    const after = relationAfter(query.cursor)
    const rows = await this.#deps.repository.flagged(flag, ctx.actor.userId, query.limit + 1, after)
    const described = await this.#describe(ctx, rows.slice(0, query.limit), { presence: false })
    const page = toPage(rows, query.limit, positionOf, (row) => ({
      ...personView(described.of(row.userId)),
      ...timeView(row.at.toISOString()),
    }))
    return { ...page, stale: described.stale }
  }

  async listFriendRequests(
    ctx: AuthenticatedContext,
    query: PageQuery & { readonly direction: 'incoming' | 'outgoing' },
  ) {
    const { repository, now } = this.#deps
    const me = ctx.actor.userId
    const [beforeId] = decodeCursor(requestCursor, query.cursor) ?? [Number.MAX_SAFE_INTEGER]
    const rows = await repository[query.direction](me, now(), query.limit + 1, beforeId)
    const otherOf = (row: PendingRequest) => (row.from === me ? row.to : row.from)
    const described = await this.#describe(
      ctx,
      rows.slice(0, query.limit).map((row) => ({ userId: otherOf(row) })),
    )
    const page = toPage(
      rows,
      query.limit,
      (row) => [row.id],
      (row) => {
        const other = described.of(otherOf(row))
        const user = { ...personView(other), ...presenceView(other) }
        return { ...requestView(row), user, message: row.message }
      },
    )
    return { ...page, stale: described.stale }
  }

  async listFriendSuggestions(ctx: AuthenticatedContext, query: PageQuery) {
    const cursor = decodeCursor(suggestionCursor, query.cursor)
    const after = cursor && { mutualFriends: cursor[0], userId: cursor[1] }
    const rows = await this.#deps.repository.suggestions(ctx.actor.userId, query.limit + 1, after)
    const described = await this.#describe(ctx, rows.slice(0, query.limit))
    const page = toPage(
      rows,
      query.limit,
      (row: Suggestion) => [row.mutualFriends, row.userId],
      (row) => ({
        ...personView(described.of(row.userId)),
        ...presenceView(described.of(row.userId)),
        mutual_friends: row.mutualFriends,
      }),
    )
    return { ...page, stale: described.stale }
  }

  /** Returns all data about the caller, for the account's archive. */
  exportFriends(ctx: AuthenticatedContext) {
    return exportFriendsOf(this.#deps.repository, ctx.actor.userId, this.#deps.now())
  }

  async #describe(
    ctx: AuthenticatedContext,
    users: readonly DescribedUser[],
    options?: { presence: boolean },
  ) {
    const { people, stale } = await this.#deps.people.describe(users, ctx, options)
    const of = (userId: number): DescribedPerson => {
      const person = people.get(userId)
      if (!person) throw new Error(`user ${userId} has no description`)
      return person
    }
    return { of, stale }
  }
}

interface FriendRows {
  readonly rows: readonly ListedFriend[]
  readonly position: (row: ListedFriend) => unknown
}

function positionSince(since: string | undefined): ChangePosition | undefined {
  const position = decodeCursor(changeCursor, since)
  return position && { version: position[0], profilesMs: position[1], profileId: position[2] }
}

function cursorAt({ version, profilesMs, profileId }: ChangePosition): string {
  return encodeCursor([version, profilesMs, profileId])
}

function relationAfter(cursor: string | undefined): After | undefined {
  const position = decodeCursor(relationCursor, cursor)
  return position && { atMs: position[0], userId: position[1] }
}

function positionOf(row: Relation): [number, number] {
  return [row.at.getTime(), row.userId]
}
