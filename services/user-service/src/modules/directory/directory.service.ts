import { type AuthenticatedContext, type Limit, Problem, type RateLimiter } from '@bigtech/service-kit'
import type { DirectoryRepository } from './directory.repository.ts'
import type { PublicUser, SearchPosition, SearchRow } from './directory.ts'
import type { LookupLimit } from './lookup-limit.ts'
import type { ProfileCache } from './profile-cache.ts'
import { type NameQuery, nameQuery, searchTermsOf } from './search-terms.ts'

export type DirectoryService = ReturnType<typeof createDirectoryService>

export interface SearchPage {
  readonly users: readonly PublicUser[]
  readonly next: SearchPosition | undefined
}

const searches: Limit = { name: 'search', max: 20, windowSeconds: 60 }
const ROWS_PER_ROUND = 200
/** Rounds per request in which a mixed query looks for matches; the cursor continues from there. */
const MAX_ROUNDS = 5

/** Creates the service for finding and reading other users' profiles. */
export function createDirectoryService(deps: {
  directory: DirectoryRepository
  cache: ProfileCache
  limiter: RateLimiter
  lookups: LookupLimit
}) {
  const { directory, cache, limiter, lookups } = deps

  /**
   * Returns profiles. Visibility is never cached: a block or deletion takes effect on the next request.
   * Neither are friendships, which exempt from the lookup limit; one statement reads both.
   * @throws Problem RATE_LIMITED
   */
  async function lookUp(viewerId: number, userIds: readonly number[]): Promise<PublicUser[]> {
    const { hidden, friends } = await directory.relationsAmong(viewerId, userIds)
    await lookups.takeStrangers(viewerId, userIds, friends)
    const users = await cache.findMany(userIds)
    return users.filter(({ userId }) => !hidden.has(userId))
  }

  return {
    /** Returns whether the user is visible to the viewer, without counting as a lookup. */
    async isVisible(viewerId: number, userId: number): Promise<boolean> {
      const { hidden } = await directory.relationsAmong(viewerId, [userId])
      return !hidden.has(userId) && (await cache.findMany([userId])).length === 1
    },

    getUsers: (ctx: AuthenticatedContext, userIds: readonly number[]): Promise<PublicUser[]> =>
      lookUp(ctx.actor.userId, userIds),

    async getUser(ctx: AuthenticatedContext, userId: number): Promise<PublicUser> {
      const [user] = await lookUp(ctx.actor.userId, [userId])
      if (!user) throw new Problem('USER_NOT_FOUND')
      return user
    },

    async searchUsers(
      ctx: AuthenticatedContext,
      search: { text: string; limit: number; after: SearchPosition | undefined },
    ): Promise<SearchPage> {
      const viewerId = ctx.actor.userId
      await limiter.take(searches, viewerId)
      if (search.text.includes('@')) {
        const user = await directory.findByEmail(viewerId, search.text.toLowerCase())
        return { users: user ? [user] : [], next: undefined }
      }
      return searchByName(directory, viewerId, search)
    },
  }
}

async function searchByName(
  directory: DirectoryRepository,
  viewerId: number,
  { text, limit, after }: { text: string; limit: number; after: SearchPosition | undefined },
): Promise<SearchPage> {
  const query = nameQuery(text)
  if (query.prefix === '') return { users: [], next: undefined }
  const users: PublicUser[] = []
  let position = after
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const rows = await directory.search(viewerId, query.prefix, position, ROWS_PER_ROUND)
    for (const row of rows) {
      if (users.length === limit) return { users, next: position }
      position = { term: row.term, userId: row.userId }
      if (isFirstMatch(row, query)) users.push(row)
    }
    if (rows.length < ROWS_PER_ROUND) return { users, next: undefined }
  }
  return { users, next: position }
}

/** Returns whether this row is the user's first matching term, so that a user appears once over all pages. */
function isFirstMatch(row: SearchRow, query: NameQuery): boolean {
  if (!query.matches(row)) return false
  const matching = searchTermsOf(row).filter((term) => term.startsWith(query.prefix))
  const first = matching.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))[0]
  // Undefined while a rename is in progress: better a duplicate than a gap.
  return first === undefined || first === row.term
}
