import type { Limit, RateLimiter } from '@bigtech/service-kit'

/** How much one person may do; generous for people, not for loops. */
export class MessageLimits {
  readonly #limiter: RateLimiter
  readonly #sendInRoom: Limit
  readonly #send: Limit
  readonly #change: Limit = { name: 'change_message', max: 200, windowSeconds: 10 }
  readonly #search: Limit = { name: 'search_messages', max: 30, windowSeconds: 60 }
  readonly #read: Limit = { name: 'mark_read', max: 300, windowSeconds: 10 }

  /** @param sendsPer10Seconds messages that one person may send to one room in 10 s */
  constructor(limiter: RateLimiter, sendsPer10Seconds: number) {
    this.#limiter = limiter
    this.#sendInRoom = { name: 'send_message_room', max: sendsPer10Seconds, windowSeconds: 10 }
    this.#send = { name: 'send_message', max: sendsPer10Seconds * 2, windowSeconds: 10 }
  }

  async send(userId: number, roomId: number): Promise<void> {
    await Promise.all([
      this.#limiter.take(this.#send, userId),
      this.#limiter.take(this.#sendInRoom, `${userId}:${roomId}`),
    ])
  }

  async change(userId: number, roomId: number): Promise<void> {
    await this.#limiter.take(this.#change, `${userId}:${roomId}`)
  }

  async search(userId: number): Promise<void> {
    await this.#limiter.take(this.#search, userId)
  }

  async read(userId: number): Promise<void> {
    await this.#limiter.take(this.#read, userId)
  }
}
