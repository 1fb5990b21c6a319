import { getPresence, getUsers } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  Problem,
  type ServiceClient,
  StoreUnavailable,
} from '@bigtech/service-kit'
import type { KnownPerson, PeopleRepository, Person } from './people.repository.ts'
import type { PresenceCache, ShownPresence } from './presence-cache.ts'

/** A user in the format of lists. */
export interface DescribedPerson extends Person {
  readonly online: boolean | null
  readonly lastSeenAt: string | null
}

export interface Described {
  readonly people: ReadonlyMap<number, DescribedPerson>
  /** Whether user-service was asked and did not respond. */
  readonly stale: boolean
}

/** A user to describe. A friend: cached presence is right, because events report what changes it. */
export interface DescribedUser {
  readonly userId: number
  /** The local copy, if already read. */
  readonly person?: KnownPerson | null
  /** Set for a friend: whether one of the two restricts the other, who then see nothing of each other. */
  readonly isRestricted?: boolean
}

export interface PeopleDependencies {
  readonly repository: PeopleRepository
  readonly userService: ServiceClient
  readonly presence: PresenceCache
}

/** Describes users: names from the local copy, presence from user-service. */
export class PeopleService {
  readonly #repository: PeopleRepository
  readonly #userService: ServiceClient
  readonly #presence: PresenceCache

  constructor({ repository, userService, presence }: PeopleDependencies) {
    this.#repository = repository
    this.#userService = userService
    this.#presence = presence
  }

  /**
   * Checks that a user is known; deleted accounts count as known.
   * @throws Problem USER_NOT_FOUND; StoreUnavailable when only user-service could tell and it is down
   */
  async requireKnown(userId: number, ctx: AuthenticatedContext): Promise<void> {
    const [known] = await this.#repository.findMany([userId])
    if (known) return
    const [profile] = await this.#askProfiles([userId], ctx)
    if (!profile) throw new Problem('USER_NOT_FOUND')
    await this.#repository.learn(profile)
  }

  /**
   * Returns names and presence of a page of users: at most one statement, and two parallel calls, for any page size.
   */
  async describe(
    users: readonly DescribedUser[],
    ctx: AuthenticatedContext,
    options: { presence: boolean } = { presence: true },
  ): Promise<Described> {
    const [{ names, isStale }, presences] = await Promise.all([
      this.#names(users, ctx),
      options.presence ? this.#presences(users, ctx) : new Map<number, ShownPresence>(),
    ])
    const people = new Map(
      users.map(({ userId }) => [
        userId,
        { ...(names.get(userId) ?? nameless(userId)), ...(presences?.get(userId) ?? unknown) },
      ]),
    )
    return { people, stale: isStale || !presences }
  }

  /** Returns names. A user of whom no event has arrived yet is looked up at user-service. */
  async #names(
    users: readonly DescribedUser[],
    ctx: AuthenticatedContext,
  ): Promise<{ names: ReadonlyMap<number, Person>; isStale: boolean }> {
    const unread = users.flatMap(({ userId, person }) => (person === undefined ? [userId] : []))
    const read = users.flatMap(({ person }) => person ?? [])
    const known = [...read, ...(await this.#repository.findMany(unread))]
    const names = new Map<number, Person>(known.map((person) => [person.userId, person]))
    const sure = new Set(known.flatMap(({ userId, isFromEvent }) => (isFromEvent ? [userId] : [])))
    const missing = users.map(({ userId }) => userId).filter((userId) => !sure.has(userId))
    if (missing.length === 0) return { names, isStale: false }
    const asked = await this.#orNothing(this.#askProfiles(missing, ctx), ctx)
    for (const person of asked ?? []) names.set(person.userId, person)
    return { names, isStale: !asked }
  }

  /** Returns presence, cached for friends; undefined when user-service does not respond. */
  async #presences(
    users: readonly DescribedUser[],
    ctx: AuthenticatedContext,
  ): Promise<Map<number, ShownPresence> | undefined> {
    const viewerId = ctx.actor.userId
    const friends = users.filter(({ isRestricted }) => isRestricted === false).map(({ userId }) => userId)
    const presences = this.#presence.findMany(viewerId, friends)
    const missing = users
      .filter(({ userId, isRestricted }) => isRestricted !== true && !presences.has(userId))
      .map(({ userId }) => userId)
    if (missing.length === 0) return presences
    const keep = this.#presence.expect(viewerId, friends)
    const query = { user_ids: missing.join(',') }
    const call = this.#userService.call(getPresence, { query }, callerOf(ctx))
    const response = await this.#orNothing(call, ctx)
    if (!response) return undefined
    keep(response.items)
    for (const { user_id, online, last_seen_at } of response.items)
      presences.set(user_id, { online, lastSeenAt: last_seen_at })
    return presences
  }

  async #askProfiles(userIds: readonly number[], ctx: AuthenticatedContext): Promise<Person[]> {
    const query = { user_ids: userIds.join(',') }
    const { items } = await this.#userService.call(getUsers, { query }, callerOf(ctx))
    return items.map((item) => ({
      userId: item.user_id,
      username: item.username,
      displayName: item.display_name,
      statusMessage: item.status_message,
      profileImageUrl: item.profile_image_url,
    }))
  }

  async #orNothing<Result>(call: Promise<Result>, ctx: AuthenticatedContext): Promise<Result | undefined> {
    try {
      return await call
    } catch (err) {
      const level = err instanceof StoreUnavailable ? 'info' : 'warn'
      ctx.log[level]({ err }, 'user-service unavailable, using the local copy')
      return undefined
    }
  }
}

const unknown: ShownPresence = { online: null, lastSeenAt: null }

function callerOf({ requestId, bearer }: AuthenticatedContext) {
  return { requestId, bearer }
}

/** Returns a placeholder for a user whose name is unknown. */
function nameless(userId: number): Person {
  return { userId, username: '', displayName: '', statusMessage: null, profileImageUrl: null }
}
