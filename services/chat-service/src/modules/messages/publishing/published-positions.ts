import type { RoomPosition, RoomPositions } from '../log/room-heads.repository.ts'
import type { SenderPositions, Written } from '../reading/sender-positions.ts'

/** Storing costs two durable writes, whatever the number of messages. A crash repeats the events of this time. */
const STORE_EVERY_MS = 500

/**
 * The published positions that are not stored yet. The read positions of the published messages' senders are stored first: their
 * process may have died before that, and nobody looks at these messages again.
 */
export class PublishedPositions {
  readonly #rooms: RoomPositions
  readonly #senders: SenderPositions
  #positions = new Map<number, RoomPosition>()
  #written: Written[] = []
  #storedAt = 0

  constructor(rooms: RoomPositions, senders: SenderPositions) {
    this.#rooms = rooms
    this.#senders = senders
  }

  get isDue(): boolean {
    return this.#positions.size > 0 && performance.now() >= this.#storedAt + STORE_EVERY_MS
  }

  /** @param written the messages that the positions have passed */
  add(positions: ReadonlyMap<number, RoomPosition>, written: readonly Written[]): void {
    for (const [roomId, position] of positions) this.#positions.set(roomId, position)
    this.#written.push(...written)
  }

  /** After a failure the positions are stored by the next call. */
  async store(): Promise<void> {
    if (this.#positions.size === 0) return
    this.#storedAt = performance.now()
    const positions = new Map(this.#positions)
    const written = this.#written
    await this.#senders.repair(written)
    await this.#rooms.advancePublished(positions)
    this.#written = this.#written.slice(written.length)
    for (const [roomId, position] of positions)
      if (this.#positions.get(roomId) === position) this.#positions.delete(roomId)
  }
}
