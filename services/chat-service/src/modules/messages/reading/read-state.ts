import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { MembershipReader } from '../../membership/membership.ports.ts'
import { readFloor } from '../../membership/membership.ts'
import type { MessageRecord, UnixMs } from '../message.ts'
import {
  type MovedPosition,
  type ReadPosition,
  type ReadPositionRepository,
  readByWriting,
} from './read-positions.repository.ts'
import { ReadSnapshot } from './read-snapshot.ts'

interface RoomReads {
  /** False while only positions noted by this process are known. */
  isLoaded: boolean
  /** By user, including former members: a returning member keeps the read position. */
  readonly positions: Map<number, number>
  /** The latest included move, by the database clock; 0 when there is none. */
  movedAt: UnixMs
  /** Counts joins and leaves. */
  membersChanged: number
  /** Follows the moves of members; cached until one joins or leaves. */
  snapshot: ReadSnapshot | undefined
}

type MembersOfRooms = Pick<MembershipReader, 'ofRoom' | 'onChange'>

const CACHED_ROOMS = 5_000
/** Positions of the last seconds are queried again, because writes become visible in another order than they began. */
const OVERLAP_MS = 15_000
const SNAPSHOT_MS = 10_000

/**
 * Counts the members who have not read a message, derived from the positions of its room: nothing is written
 * per message. A member counts when they are in the room now, joined before the message, may see it, did not
 * write it, and have a position before it.
 */
export class ReadState {
  readonly #repository: ReadPositionRepository
  readonly #members: MembersOfRooms
  readonly #rooms = new LRUCache<number, RoomReads>(upToEntries(CACHED_ROOMS))

  constructor(repository: ReadPositionRepository, members: MembersOfRooms) {
    this.#repository = repository
    this.#members = members
    members.onChange(({ roomId }) => {
      const known = this.#rooms.peek(roomId)
      if (!known) return
      known.membersChanged++
      known.snapshot = undefined
    })
  }

  /** Returns the current state from the database. */
  async snapshot(roomId: number): Promise<ReadSnapshot> {
    const since = this.movedSince(roomId)
    return this.merge(roomId, await this.#repository.ofRoom(roomId, since), since)
  }

  /** Returns the time since which moves of a room are uncertain; undefined for a room that is not cached. */
  movedSince(roomId: number): Date | undefined {
    const known = this.#rooms.get(roomId)
    return known?.isLoaded ? new Date(known.movedAt - OVERLAP_MS) : undefined
  }

  /** Merges the moves since `since` from the database, or all positions. @param since what `movedSince` returned */
  async merge(
    roomId: number,
    moved: readonly MovedPosition[],
    since: Date | undefined,
  ): Promise<ReadSnapshot> {
    const reads = this.#readsOf(roomId)
    // Evicted while the moves were being read.
    if (since !== undefined && !reads.isLoaded) return this.snapshot(roomId)
    reads.isLoaded = true
    for (const { userId, seq, at } of moved) {
      advance(reads, userId, seq)
      reads.movedAt = Math.max(reads.movedAt, at)
    }
    return this.#snapshotOf(roomId, reads)
  }

  /** Returns the cached state, for streams; queries the database for a room that is not cached. */
  async recent(roomId: number): Promise<ReadSnapshot> {
    const known = this.#rooms.get(roomId)
    return known?.isLoaded ? this.#snapshotOf(roomId, known) : this.snapshot(roomId)
  }

  /** Records a position that this process has just stored or received. */
  noteRead({ roomId, userId, seq }: ReadPosition): void {
    advance(this.#readsOf(roomId), userId, seq)
  }

  /** Records the positions implied by sending these messages, which may not be stored yet. */
  noteWritten(messages: readonly MessageRecord[]): void {
    for (const position of readByWriting(messages)) this.noteRead(position)
  }

  #readsOf(roomId: number): RoomReads {
    const known = this.#rooms.get(roomId)
    if (known) return known
    const reads = {
      isLoaded: false,
      positions: new Map<number, number>(),
      movedAt: 0,
      membersChanged: 0,
      snapshot: undefined,
    }
    this.#rooms.set(roomId, reads)
    return reads
  }

  async #snapshotOf(roomId: number, reads: RoomReads): Promise<ReadSnapshot> {
    if (reads.snapshot && reads.snapshot.createdAt > Date.now() - SNAPSHOT_MS) return reads.snapshot
    const { membersChanged } = reads
    const members = await this.#members.ofRoom(roomId)
    // No await from here on, or a concurrent move would be missed.
    const positions = members.map(
      (member) =>
        [member.userId, Math.max(reads.positions.get(member.userId) ?? 0, readFloor(member))] as const,
    )
    const snapshot = new ReadSnapshot(positions)
    // Serve a snapshot invalidated by a join or leave, but do not cache it.
    if (reads.membersChanged === membersChanged) reads.snapshot = snapshot
    return snapshot
  }
}

function advance(reads: RoomReads, userId: number, seq: number): void {
  if ((reads.positions.get(userId) ?? 0) >= seq) return
  reads.positions.set(userId, seq)
  reads.snapshot?.advance(userId, seq)
}
