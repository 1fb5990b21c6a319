import { LRUCache } from 'lru-cache'
import { SharedReads } from '../../shared-reads.ts'
import type { NewMessage, RoomHeads } from '../messages/messages.ports.ts'
import type { RoomActivityWriter } from './room-activity.ts'
import type { RoomPlace } from './room-list.repository.ts'
import { RoomOrder } from './room-order.ts'

export interface RoomOrderStore {
  /** Returns the version of the user's memberships and settings. */
  listVersion(userId: number): Promise<string>
  places(userId: number, archived: boolean): Promise<RoomPlace[]>
}

const MAX_PLACES = 200_000
/** Bounds how long an order stays wrong if an assumption about clocks or versions fails. */
const MAX_AGE_MS = 5 * 60_000
/**
 * A message can become visible later than one created after it: an insert takes up to 10 s, the timeout of its socket, and
 * clocks differ. Messages from before this time were visible to the previous check.
 */
const OVERLAP_MS = 15_000
const MANY_NEWS = 500
/** After more news than that, rooms are looked up without asking for news. */
const BUSY_MS = 1_000

/** The orders of users with many rooms, so that a page of their list costs as much as one of a user with few. */
export class RoomOrders {
  readonly #store: RoomOrderStore
  readonly #heads: Pick<RoomHeads, 'newerThan'>
  readonly #activity: Pick<RoomActivityWriter, 'touch'>
  readonly #orders = new LRUCache<string, RoomOrder>({
    maxSize: MAX_PLACES,
    sizeCalculation: ({ size }) => size + 1,
  })
  readonly #reads = new SharedReads<RoomOrder>()
  #busyUntil = 0

  constructor(options: {
    store: RoomOrderStore
    heads: Pick<RoomHeads, 'newerThan'>
    activity: Pick<RoomActivityWriter, 'touch'>
  }) {
    this.#store = options.store
    this.#heads = options.heads
    this.#activity = options.activity
  }

  /** Returns the order in memory, which `check` makes current if its version is. */
  known(userId: number, archived: boolean): RoomOrder | undefined {
    const known = this.#orders.get(keyOf(userId, archived))
    return known && known.readAt > Date.now() - MAX_AGE_MS ? known : undefined
  }

  /** Reads the current order of all rooms. */
  read(userId: number, archived: boolean): Promise<RoomOrder> {
    const key = keyOf(userId, archived)
    return this.#reads.get(key, async () => {
      const readAt = Date.now()
      // First, so that a change during the reads makes the version stale.
      const version = await this.#store.listVersion(userId)
      const places = await this.#store.places(userId, archived)
      const order = new RoomOrder(
        version,
        places.map(({ lastActivityAt, ...place }) => ({ ...place, at: lastActivityAt.getTime() })),
        readAt,
      )
      await this.#lookUp(order)
      this.#orders.set(key, order)
      return order
    })
  }

  /** Returns the messages to ask for, which `check` needs: those since the last check. */
  newsSince({ checkedAt }: RoomOrder): { since: Date; limit: number } | undefined {
    if (Date.now() < this.#busyUntil) return undefined
    return { since: new Date(checkedAt - OVERLAP_MS), limit: MANY_NEWS }
  }

  /**
   * Moves the rooms with messages since the last check.
   *
   * @param news all messages since `newsSince`; undefined when they were too many or not read
   * @param startedAt when reading them began
   */
  async check(order: RoomOrder, news: readonly NewMessage[] | undefined, startedAt: number): Promise<void> {
    if (news) {
      for (const { roomId, lastSeq, lastMessageAt } of news)
        if (order.advance(roomId, lastSeq, lastMessageAt.getTime()))
          this.#activity.touch(roomId, lastSeq, lastMessageAt)
    } else {
      if (startedAt >= this.#busyUntil) this.#busyUntil = startedAt + BUSY_MS
      await this.#lookUp(order)
    }
    order.checkedAt = Math.max(order.checkedAt, startedAt)
  }

  /** Drops what changed memberships make wrong; the version does the same for other processes. */
  drop(userIds: readonly number[]): void {
    for (const userId of userIds)
      for (const archived of [true, false]) this.#orders.delete(keyOf(userId, archived))
  }

  /** Moves the rooms whose messages go on after the known ones: exact, by one look-up for each room. */
  async #lookUp(order: RoomOrder): Promise<void> {
    for (const [roomId, { lastSeq, lastMessageAt }] of await this.#heads.newerThan(order.lastSeqs)) {
      order.advance(roomId, lastSeq, lastMessageAt.getTime())
      this.#activity.touch(roomId, lastSeq, lastMessageAt)
    }
  }
}

function keyOf(userId: number, archived: boolean): string {
  return `${userId}:${archived}`
}
