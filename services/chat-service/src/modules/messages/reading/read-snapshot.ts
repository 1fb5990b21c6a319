import type { UnixMs } from '../message.ts'

/** The members of a room with their read positions. A move costs little however many members the room has. */
export class ReadSnapshot {
  readonly createdAt: UnixMs = Date.now()
  readonly #positions: Map<number, number>
  /** All positions in ascending order; made when the first message is counted. */
  #sorted: Float64Array | undefined

  /** @param positions the user id and the position of each member */
  constructor(positions: Iterable<readonly [number, number]>) {
    this.#positions = new Map(positions)
  }

  /** By user id. */
  get positions(): ReadonlyMap<number, number> {
    return this.#positions
  }

  /** Moves a member forward; users who are not members do not count. */
  advance(userId: number, seq: number): void {
    const before = this.#positions.get(userId)
    if (before === undefined || before >= seq) return
    this.#positions.set(userId, seq)
    if (!this.#sorted) return
    const from = countBelow(this.#sorted, before)
    const to = countBelow(this.#sorted, seq) - 1
    this.#sorted.copyWithin(from, from + 1, to + 1)
    this.#sorted[to] = seq
  }

  /** Returns the number of members other than the author who have not read the message. */
  unread(seq: number, authorId: number): number {
    this.#sorted ??= Float64Array.from(this.#positions.values()).sort()
    const behind = countBelow(this.#sorted, seq)
    const author = this.#positions.get(authorId)
    return author !== undefined && author < seq ? behind - 1 : behind
  }
}

function countBelow(sorted: Float64Array, seq: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < seq) low = middle + 1
    else high = middle
  }
  return low
}
