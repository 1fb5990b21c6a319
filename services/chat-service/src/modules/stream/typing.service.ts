import { StoreUnavailable, upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { Membership, MembershipReader } from '../membership/membership.ports.ts'
import type { RoomHint } from './pubsub.ts'

const COALESCE_MS = 2_000

export interface TypingRestrictions {
  restrictions(
    userId: number,
    peerId: number,
  ): Promise<{ readonly byUser: boolean; readonly byPeer: boolean }>
}

/** Sends typing indicators to a room, at most every 2 seconds per member. */
export class TypingService {
  readonly #members: MembershipReader
  readonly #relations: TypingRestrictions
  readonly #publish: (hint: RoomHint) => void
  readonly #recent = new LRUCache<string, true>({ ...upToEntries(50_000), ttl: COALESCE_MS })

  constructor(members: MembershipReader, relations: TypingRestrictions, publish: (hint: RoomHint) => void) {
    this.#members = members
    this.#relations = relations
    this.#publish = publish
  }

  async typing(roomId: number, userId: number): Promise<void> {
    const membership = await this.#members.require(roomId, userId)
    await this.#members.assertMayPost(membership)
    const key = `${roomId}:${userId}`
    if (this.#recent.has(key)) return
    this.#recent.set(key, true)
    // Dropped silently: neither user may notice a restriction.
    if (await this.#isRestricted(membership)) return
    this.#publish({ roomId, typing: userId })
  }

  /** Returns whether one user of a 1:1 room restricts the other, also while that cannot be determined. */
  async #isRestricted({ userId, directPeerId }: Membership): Promise<boolean> {
    if (directPeerId === null) return false
    try {
      const { byUser, byPeer } = await this.#relations.restrictions(userId, directPeerId)
      return byUser || byPeer
    } catch (err) {
      if (err instanceof StoreUnavailable) return true
      throw err
    }
  }
}
