import { LRUCache } from 'lru-cache'
import type { MembershipReader } from '../membership/membership.ports.ts'
import type { RoomHint } from './pubsub.ts'

const COALESCE_MS = 2_000

/** Sends typing indicators to a room, at most every 2 seconds per member. */
export class TypingService {
  readonly #members: MembershipReader
  readonly #publish: (hint: RoomHint) => void
  readonly #recent = new LRUCache<string, true>({ max: 50_000, ttl: COALESCE_MS })

  constructor(members: MembershipReader, publish: (hint: RoomHint) => void) {
    this.#members = members
    this.#publish = publish
  }

  async typing(roomId: number, userId: number): Promise<void> {
    const membership = await this.#members.require(roomId, userId)
    await this.#members.assertMayPost(membership)
    const key = `${roomId}:${userId}`
    if (this.#recent.has(key)) return
    this.#recent.set(key, true)
    this.#publish({ roomId, typing: userId })
  }
}
