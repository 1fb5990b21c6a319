import { type EventDefinition, streamPresenceChanged, streamsAlive, uuidv7 } from '@bigtech/contracts'

/** Best effort: what is lost is said again 25 s later. */
export type PublishEvent = <Payload extends object>(
  definition: EventDefinition<string, Payload>,
  payload: Payload,
) => Promise<void>

const WINDOW_MS = 100
const ALIVE_EVERY_MS = 25_000
const USERS_AN_EVENT = 1_000

/** Tells who has streams open on this process. */
export class PresencePublisher {
  readonly #publish: PublishEvent
  readonly #instanceId: string
  readonly #openOf: (userId: number) => number
  readonly #userIds: () => number[]
  readonly #changed = new Set<number>()
  readonly #told = new Map<number, number>()
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
    this.#alive = setInterval(() => this.#sayAlive(), ALIVE_EVERY_MS)
    this.#alive.unref()
  }

  /** A reload closes and opens within a moment: what is told is the number at the end of it. */
  changed(userId: number): void {
    this.#changed.add(userId)
    this.#timer ??= setTimeout(() => void this.flush(), WINDOW_MS)
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const userIds = [...this.#changed]
    this.#changed.clear()
    await Promise.all(userIds.map((userId) => this.#tell(userId)))
  }

  stop(): Promise<void> {
    clearInterval(this.#alive)
    return this.flush()
  }

  async #tell(userId: number): Promise<void> {
    const open = this.#openOf(userId)
    if ((this.#told.get(userId) ?? 0) === open) return
    if (open === 0) this.#told.delete(userId)
    else this.#told.set(userId, open)
    const payload = { user_id: userId, instance_id: this.#instanceId, open_streams: open }
    await this.#publish(streamPresenceChanged, payload).catch(() => undefined)
  }

  #sayAlive(): void {
    const userIds = this.#userIds()
    for (let start = 0; start < userIds.length; start += USERS_AN_EVENT) {
      const user_ids = userIds.slice(start, start + USERS_AN_EVENT)
      void this.#publish(streamsAlive, { instance_id: this.#instanceId, user_ids }).catch(() => undefined)
    }
  }
}

/** A name for this process that no other one has had. */
export const newInstanceId = (): string => uuidv7()
