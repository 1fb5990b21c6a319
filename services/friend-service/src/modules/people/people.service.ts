import { getPresence, getUsers, type Presence } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  Problem,
  type ServiceClient,
  StoreUnavailable,
} from '@bigtech/service-kit'
import type { PeopleRepository, Person } from './people.repository.ts'

/** A user in the format of lists. */
export interface DescribedPerson extends Person {
  readonly online: boolean | null
  readonly lastSeenAt: string | null
}

export interface Described {
  readonly people: ReadonlyMap<number, DescribedPerson>
  /** Whether user-service did not respond: names are from the local copy, presence is unknown. */
  readonly stale: boolean
}

export interface PeopleDependencies {
  readonly repository: PeopleRepository
  readonly userService: ServiceClient
}

/** Resolves users: from user-service, with the local copy as fallback. */
export class PeopleService {
  readonly #repository: PeopleRepository
  readonly #userService: ServiceClient

  constructor({ repository, userService }: PeopleDependencies) {
    this.#repository = repository
    this.#userService = userService
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

  /** Returns names and presence of a page of users with two parallel calls for any page size. */
  async describe(
    userIds: readonly number[],
    ctx: AuthenticatedContext,
    options: { presence: boolean } = { presence: true },
  ): Promise<Described> {
    if (userIds.length === 0) return { people: new Map(), stale: false }
    const [profiles, presences] = await Promise.all([
      this.#orNothing(this.#askProfiles(userIds, ctx), ctx),
      options.presence ? this.#orNothing(this.#askPresence(userIds, ctx), ctx) : [],
    ])
    const byId = new Map((profiles ?? []).map((profile) => [profile.userId, profile]))
    // The user has just registered, or user-service is unavailable.
    const missing = userIds.filter((id) => !byId.has(id))
    for (const person of await this.#repository.findMany(missing)) byId.set(person.userId, person)
    const presenceById = new Map((presences ?? []).map((presence) => [presence.user_id, presence]))
    const people = new Map(
      userIds.map((id) => [id, withPresence(byId.get(id) ?? nameless(id), presenceById.get(id))]),
    )
    return { people, stale: profiles === undefined }
  }

  async #askProfiles(userIds: readonly number[], ctx: AuthenticatedContext): Promise<Person[]> {
    const { items } = await this.#userService.call(
      getUsers,
      { query: { user_ids: userIds.join(',') } },
      { requestId: ctx.requestId, bearer: ctx.bearer },
    )
    return items.map((item) => ({
      userId: item.user_id,
      username: item.username,
      displayName: item.display_name,
      statusMessage: item.status_message,
      profileImageUrl: item.profile_image_url,
    }))
  }

  async #askPresence(userIds: readonly number[], ctx: AuthenticatedContext): Promise<Presence[]> {
    const { items } = await this.#userService.call(
      getPresence,
      { query: { user_ids: userIds.join(',') } },
      { requestId: ctx.requestId, bearer: ctx.bearer },
    )
    return items
  }

  async #orNothing<Answer>(call: Promise<Answer>, ctx: AuthenticatedContext): Promise<Answer | undefined> {
    try {
      return await call
    } catch (err) {
      const level = err instanceof StoreUnavailable ? 'info' : 'warn'
      ctx.log[level]({ err }, 'user-service unavailable, using the local copy')
      return undefined
    }
  }
}

function withPresence(person: Person, presence: Presence | undefined): DescribedPerson {
  return { ...person, online: presence?.online ?? null, lastSeenAt: presence?.last_seen_at ?? null }
}

/** Returns a placeholder for a user whose name is unknown. */
function nameless(userId: number): Person {
  return { userId, username: '', displayName: '', statusMessage: null, profileImageUrl: null }
}
