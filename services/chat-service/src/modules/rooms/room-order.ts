import { compareInList, type ListPosition } from './room.ts'

/** A room with its newest seq. */
type Place = ListPosition & { readonly lastSeq: number }

/** A user's rooms in the order of the list, kept in memory and corrected room by room. */
export class RoomOrder {
  /** Of the memberships and settings of which the order consists. */
  readonly version: string
  /** Unix milliseconds of the start of the last check for newer messages. */
  checkedAt: number
  readonly readAt: number
  readonly #byRoom: Map<number, Place>
  readonly #sorted: Place[]

  constructor(version: string, places: readonly Place[], readAt: number) {
    this.version = version
    this.checkedAt = readAt
    this.readAt = readAt
    this.#byRoom = new Map(places.map((place) => [place.roomId, place]))
    this.#sorted = [...places].sort(compareInList)
  }

  get size(): number {
    return this.#sorted.length
  }

  /** Returns the newest known seq of each room. */
  get lastSeqs(): Map<number, number> {
    return new Map(this.#sorted.map(({ roomId, lastSeq }) => [roomId, lastSeq]))
  }

  lastSeqOf(roomId: number): number | undefined {
    return this.#byRoom.get(roomId)?.lastSeq
  }

  /** Moves a room to the place of a newer message. Returns whether it did: not for an older message or another user's room. */
  advance(roomId: number, lastSeq: number, at: number): boolean {
    const known = this.#byRoom.get(roomId)
    if (!known || known.lastSeq >= lastSeq) return false
    const moved = { ...known, lastSeq, at: Math.max(known.at, at) }
    this.#sorted.splice(this.#indexOf(known), 1)
    this.#sorted.splice(this.#indexOf(moved), 0, moved)
    this.#byRoom.set(roomId, moved)
    return true
  }

  /** Returns the places that follow a position, or the first ones. */
  after(position: ListPosition | undefined, count: number): ListPosition[] {
    let start = position ? this.#indexOf(position) : 0
    const next = this.#sorted[start]
    if (position && next && compareInList(next, position) === 0) start++
    return this.#sorted.slice(start, start + count)
  }

  /** Returns the index of the first place that does not precede the position. */
  #indexOf(position: ListPosition): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareInList(this.#sorted[middle]!, position) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
