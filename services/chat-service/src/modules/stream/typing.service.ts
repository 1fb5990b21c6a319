import { LRUCache } from 'lru-cache'
import type { MembershipReader } from '../rooms/membership.ts'
import type { RoomHint } from './hints.ts'

const COALESCE_MS = 2_000

/** Tells a room that somebody is writing, at most every 2 seconds, whoever asks how often. */
export class TypingService {
  readonly #members: MembershipReader
  readonly #tell: (hint: RoomHint) => void
  readonly #told = new LRUCache<string, true>({ max: 50_000, ttl: COALESCE_MS })

  constructor(members: MembershipReader, tell: (hint: RoomHint) => void) {
    this.#members = members
    this.#tell = tell
  }

  async typing(roomId: number, userId: number): Promise<void> {
    const membership = await this.#members.require(roomId, userId)
    await this.#members.assertMaySend(membership)
    const key = `${roomId}:${userId}`
    if (this.#told.has(key)) return
    this.#told.set(key, true)
    this.#tell({ roomId, typing: userId })
  }
}
