import { type Limit, Problem, type RateLimiter } from '@bigtech/service-kit'
import type { Membership } from '../membership/membership.ports.ts'

/** Rate limits per user, too high to affect people but not scripts. */
export class MessageLimits {
  readonly #limiter: RateLimiter
  readonly #sendInRoom: Limit
  readonly #send: Limit
  readonly #change: Limit = { name: 'change_message', max: 200, windowSeconds: 10, isWriteBehind: true }
  readonly #search: Limit = { name: 'search_messages', max: 30, windowSeconds: 60 }
  readonly #read: Limit = { name: 'mark_read', max: 300, windowSeconds: 10, isWriteBehind: true }

  /** @param sendsPer10Seconds messages that one user may send to one room in 10 s */
  constructor(limiter: RateLimiter, sendsPer10Seconds: number) {
    this.#limiter = limiter
    this.#sendInRoom = {
      name: 'send_message_room',
      max: sendsPer10Seconds,
      windowSeconds: 10,
      isWriteBehind: true,
    }
    this.#send = { name: 'send_message', max: sendsPer10Seconds * 2, windowSeconds: 10, isWriteBehind: true }
  }

  async send(userId: number, roomId: number): Promise<void> {
    await Promise.all([
      this.#limiter.take(this.#send, userId),
      this.#limiter.take(this.#sendInRoom, `${userId}:${roomId}`),
    ])
  }

  /**
   * Acquires a member's turn in a room in slow mode. Returns a function that releases it, for a message that
   * was not stored.
   * @throws Problem SLOW_MODE
   */
  async takeTurn({ roomId, userId, role, rules }: Membership): Promise<() => Promise<void>> {
    const { slowModeSeconds } = rules
    if (slowModeSeconds === 0 || role !== 'member') return async () => {}
    const limit = { name: 'slow_mode', max: 1, windowSeconds: slowModeSeconds }
    // Includes the interval, so that a turn under a former rule does not count under a new one.
    const subject = `${userId}:${roomId}:${slowModeSeconds}`
    await this.#limiter.take(limit, subject).catch((err: unknown) => {
      if (!(err instanceof Problem) || err.code !== 'RATE_LIMITED') throw err
      const detail = `Members of this room must wait ${slowModeSeconds} s between two messages.`
      throw new Problem('SLOW_MODE', { detail, retryAfterSeconds: err.retryAfterSeconds ?? slowModeSeconds })
    })
    return () => this.#limiter.forget(limit, subject)
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
