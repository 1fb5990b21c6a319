import { type EventDefinition, streamPresenceChanged, streamsAlive, uuidv7 } from '@bigtech/contracts'

/** Best effort: the next periodic event, 25 s later, repeats lost data. */
export type PublishEvent = <Payload extends object>(
  definition: EventDefinition<string, Payload>,
  payload: Payload,
) => Promise<void>

const WINDOW_MS = 100
const ALIVE_EVERY_MS = 25_000
const USERS_PER_EVENT = 1_000
/** From so many users on, as in a reconnect storm, one event names all of them: consumers treat it alike. */
const STORM_USERS = 10

/** Publishes which users have streams open on this process. */
export class PresencePublisher {
  readonly #publish: PublishEvent
  readonly #instanceId: string
  readonly #openOf: (userId: number) => number
  readonly #userIds: () => number[]
  readonly #changed = new Set<number>()
  /** Users that were published as connected. */
  readonly #published = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  #alive: NodeJS.Timeout | undefined

  constructor(options: {
    publish: PublishEvent
    instanceId: string
    openOf: (userId: number) => number
    userIds: () => number[]
  }) {
    this.#publish = options.publish
    this.#instanceId = options.instanceId
    this.#openOf = options.openOf
    this.#userIds = options.userIds
  }

  start(): void {
    this.#alive = setInterval(() => void this.#publishAlive(this.#userIds()), ALIVE_EVERY_MS)
    this.#alive.unref()
  }

  /** Debounced: a page reload closes and opens a stream within moments, which changes nothing for others. */
  changed(userId: number): void {
    this.#changed.add(userId)
    this.#timer ??= setTimeout(() => void this.flush(), WINDOW_MS)
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const changed = [...this.#changed].filter(
      (userId) => this.#isConnected(userId) !== this.#published.has(userId),
    )
    this.#changed.clear()
    const { opened = [], closed = [] } = Object.groupBy(changed, (userId) =>
      this.#isConnected(userId) ? 'opened' : 'closed',
    )
    for (const userId of opened) this.#published.add(userId)
    for (const userId of closed) this.#published.delete(userId)
    const isStorm = opened.length >= STORM_USERS
    await Promise.all([
      ...(isStorm ? [this.#publishAlive(opened)] : opened.map((userId) => this.#publishCount(userId))),
      ...closed.map((userId) => this.#publishCount(userId)),
    ])
  }

  stop(): Promise<void> {
    clearInterval(this.#alive)
    return this.flush()
  }

  #isConnected(userId: number): boolean {
    return this.#openOf(userId) > 0
  }

  async #publishCount(userId: number): Promise<void> {
    const payload = {
      user_id: userId,
      instance_id: this.#instanceId,
      open_streams: this.#openOf(userId),
    }
    await this.#publish(streamPresenceChanged, payload).catch(() => undefined)
  }

  async #publishAlive(userIds: readonly number[]): Promise<void> {
    const events: Promise<void>[] = []
    for (let start = 0; start < userIds.length; start += USERS_PER_EVENT) {
      const user_ids = userIds.slice(start, start + USERS_PER_EVENT)
      events.push(this.#publish(streamsAlive, { instance_id: this.#instanceId, user_ids }))
    }
    await Promise.allSettled(events)
  }
}

/** Returns an id for this process. */
export const newInstanceId = (): string => uuidv7()
