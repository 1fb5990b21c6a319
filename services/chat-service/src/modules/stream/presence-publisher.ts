import { type EventDefinition, streamPresenceChanged, streamsAlive, uuidv7 } from '@bigtech/contracts'

/** Best effort: the next periodic event, 25 s later, repeats lost data. */
export type PublishEvent = <Payload extends object>(
  definition: EventDefinition<string, Payload>,
  payload: Payload,
) => Promise<void>

const WINDOW_MS = 100
const ALIVE_EVERY_MS = 25_000
const USERS_PER_EVENT = 1_000

/** Publishes which users have streams open on this process. */
export class PresencePublisher {
  readonly #publish: PublishEvent
  readonly #instanceId: string
  readonly #openOf: (userId: number) => number
  readonly #userIds: () => number[]
  readonly #changed = new Set<number>()
  readonly #published = new Map<number, number>()
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
    this.#alive = setInterval(() => this.#publishAlive(), ALIVE_EVERY_MS)
    this.#alive.unref()
  }

  /** Debounced: a page reload closes and opens a stream within moments, and only the final number is published. */
  changed(userId: number): void {
    this.#changed.add(userId)
    this.#timer ??= setTimeout(() => void this.flush(), WINDOW_MS)
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const userIds = [...this.#changed]
    this.#changed.clear()
    await Promise.all(userIds.map((userId) => this.#publishCount(userId)))
  }

  stop(): Promise<void> {
    clearInterval(this.#alive)
    return this.flush()
  }

  async #publishCount(userId: number): Promise<void> {
    const open = this.#openOf(userId)
    if ((this.#published.get(userId) ?? 0) === open) return
    if (open === 0) this.#published.delete(userId)
    else this.#published.set(userId, open)
    const payload = { user_id: userId, instance_id: this.#instanceId, open_streams: open }
    await this.#publish(streamPresenceChanged, payload).catch(() => undefined)
  }

  #publishAlive(): void {
    const userIds = this.#userIds()
    for (let start = 0; start < userIds.length; start += USERS_PER_EVENT) {
      const user_ids = userIds.slice(start, start + USERS_PER_EVENT)
      void this.#publish(streamsAlive, { instance_id: this.#instanceId, user_ids }).catch(() => undefined)
    }
  }
}

/** Returns an id for this process. */
export const newInstanceId = (): string => uuidv7()
