import { getPresence, getUsers, type Presence } from '@bigtech/contracts'
import {
  type AuthenticatedContext,
  Problem,
  type ServiceClient,
  StoreUnavailable,
} from '@bigtech/service-kit'
import type { PeopleRepository, Person } from './people.repository.ts'

/** A user as lists show them. */
export interface DescribedPerson extends Person {
  readonly online: boolean | null
  readonly lastSeenAt: string | null
}

export interface Described {
  readonly people: ReadonlyMap<number, DescribedPerson>
  /** user-service did not answer: names are from the local copy, presence is unknown. */
  readonly stale: boolean
}

export interface PeopleDependencies {
  readonly repository: PeopleRepository
  readonly userService: ServiceClient
}

/** Who people are: user-service says it, the local copy stands in for it. */
export class PeopleService {
  readonly #repository: PeopleRepository
  readonly #userService: ServiceClient

  constructor({ repository, userService }: PeopleDependencies) {
    this.#repository = repository
    this.#userService = userService
  }

  /**
   * Deleted accounts count as known: the caller decides what to answer.
   * @throws Problem USER_NOT_FOUND; StoreUnavailable when only user-service could tell and it is down.
   */
  async requireKnown(userId: number, ctx: AuthenticatedContext): Promise<void> {
    const [known] = await this.#repository.findMany([userId])
    if (known) return
    const [profile] = await this.#askProfiles([userId], ctx)
    if (!profile) throw new Problem('USER_NOT_FOUND')
    await this.#repository.learn(profile)
  }

  /** Names and presence of a page of users: two calls side by side, whatever the size of the page. */
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
    // A user registered a moment ago, or user-service is away.
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
      ctx.log[level]({ err }, 'user-service did not answer, the local copy stands in')
      return undefined
    }
  }
}

function withPresence(person: Person, presence: Presence | undefined): DescribedPerson {
  return { ...person, online: presence?.online ?? null, lastSeenAt: presence?.last_seen_at ?? null }
}

/** Somebody whose name has not arrived yet. */
function nameless(userId: number): Person {
  return { userId, username: '', displayName: '', statusMessage: null, profileImageUrl: null }
}
