import { LRUCache } from 'lru-cache'
import type { RoomPosition } from '../log/room-heads.repository.ts'

/** The newest positions of a room that are known. */
export interface RoomEnd {
  seq: number
  cseq: number
}

/** A room that may have something to publish. */
export interface Candidate extends RoomEnd {
  /** The first entry that a hint told of: the room's published position is before it. */
  firstSeq: number
  firstCseq: number
  /** Found by the sweep: its writer may have died before it stored what follows from a message. */
  needsRepair: boolean
}

/** What was just stored in a room. */
export interface PublishHint {
  readonly roomId: number
  readonly messages?: { readonly from: number; readonly to: number }
  readonly changes?: { readonly from: number; readonly to: number }
  readonly needsRepair?: boolean
}

const CACHED_ROOMS = 50_000

/** Rooms with entries that are, as far as this process knows, not on Kafka yet. One entry a room, in turns. */
export class PublishBacklog {
  readonly #candidates = new Map<number, Candidate>()
  /** Lower bounds: other processes publish, too. */
  readonly #published = new LRUCache<number, RoomPosition>({ max: CACHED_ROOMS })

  get size(): number {
    return this.#candidates.size
  }

  has(roomId: number): boolean {
    return this.#candidates.has(roomId)
  }

  first(limit: number): [number, Candidate][] {
    return [...this.#candidates].slice(0, limit)
  }

  /** Adds what a process of its own has stored. */
  hint({ roomId, messages, changes, needsRepair = false }: PublishHint): void {
    const candidate = this.#of(roomId)
    candidate.seq = Math.max(candidate.seq, messages?.to ?? 0)
    candidate.cseq = Math.max(candidate.cseq, changes?.to ?? 0)
    candidate.firstSeq = Math.min(candidate.firstSeq, messages?.from ?? Number.POSITIVE_INFINITY)
    candidate.firstCseq = Math.min(candidate.firstCseq, changes?.from ?? Number.POSITIVE_INFINITY)
    candidate.needsRepair ||= needsRepair
  }

  /** Adds what the sweep has seen, unless it is known. */
  found(roomId: number, { seq, cseq }: RoomEnd): void {
    if (this.isPublished(roomId, { seq, cseq })) return
    const known = this.#candidates.get(roomId)
    if (known && known.seq >= seq && known.cseq >= cseq) return
    const candidate = this.#of(roomId)
    candidate.seq = Math.max(candidate.seq, seq)
    candidate.cseq = Math.max(candidate.cseq, cseq)
    candidate.needsRepair = true
  }

  /** Whether these entries are on Kafka for sure. */
  isPublished(roomId: number, end: RoomEnd): boolean {
    const published = this.#published.get(roomId)
    return published !== undefined && published.seq >= end.seq && published.cseq >= end.cseq
  }

  /** Notes how far a room is published; a room with nothing left goes, any other one has its turn after the rest. */
  published(roomId: number, position: RoomPosition): void {
    const known = this.#published.get(roomId)
    const published = {
      seq: Math.max(known?.seq ?? 0, position.seq),
      cseq: Math.max(known?.cseq ?? 0, position.cseq),
    }
    this.#published.set(roomId, published)
    const candidate = this.#candidates.get(roomId)
    if (!candidate) return
    this.#candidates.delete(roomId)
    if (!this.isPublished(roomId, candidate)) this.#candidates.set(roomId, candidate)
  }

  publishedOf(roomId: number): RoomPosition | undefined {
    return this.#published.get(roomId)
  }

  #of(roomId: number): Candidate {
    let candidate = this.#candidates.get(roomId)
    if (!candidate) {
      candidate = {
        seq: 0,
        cseq: 0,
        firstSeq: Number.POSITIVE_INFINITY,
        firstCseq: Number.POSITIVE_INFINITY,
        needsRepair: false,
      }
      this.#candidates.set(roomId, candidate)
    }
    return candidate
  }
}
