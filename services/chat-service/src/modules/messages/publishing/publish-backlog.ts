import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { RoomPosition } from '../log/room-heads.repository.ts'

/** The newest known positions of a room. */
export interface RoomEnd {
  seq: number
  cseq: number
}

/** A room that may have unpublished entries. */
export interface Candidate extends RoomEnd {
  /** The first hinted entry; the room's published position is before it. */
  firstSeq: number
  firstCseq: number
}

/** Entries just stored in a room. */
export interface PublishHint {
  readonly roomId: number
  readonly messages?: { readonly from: number; readonly to: number }
  readonly changes?: { readonly from: number; readonly to: number }
}

/** Rooms whose published position is remembered. */
export const CACHED_ROOMS = 50_000

/** Rooms with entries not known to be published. One entry per room, in round-robin order. */
export class PublishBacklog {
  readonly #candidates = new Map<number, Candidate>()
  /** Lower bounds, because other processes publish too. */
  readonly #published = new LRUCache<number, RoomPosition>(upToEntries(CACHED_ROOMS))

  get size(): number {
    return this.#candidates.size
  }

  has(roomId: number): boolean {
    return this.#candidates.has(roomId)
  }

  first(limit: number): [number, Candidate][] {
    return [...this.#candidates].slice(0, limit)
  }

  /** Adds entries stored by this process. */
  hint({ roomId, messages, changes }: PublishHint): void {
    const candidate = this.#of(roomId)
    candidate.seq = Math.max(candidate.seq, messages?.to ?? 0)
    candidate.cseq = Math.max(candidate.cseq, changes?.to ?? 0)
    candidate.firstSeq = Math.min(candidate.firstSeq, messages?.from ?? Number.POSITIVE_INFINITY)
    candidate.firstCseq = Math.min(candidate.firstCseq, changes?.from ?? Number.POSITIVE_INFINITY)
  }

  /** Adds entries found by the sweep, unless known. */
  found(roomId: number, { seq, cseq }: RoomEnd): void {
    if (this.isPublished(roomId, { seq, cseq })) return
    const known = this.#candidates.get(roomId)
    if (known && known.seq >= seq && known.cseq >= cseq) return
    const candidate = this.#of(roomId)
    candidate.seq = Math.max(candidate.seq, seq)
    candidate.cseq = Math.max(candidate.cseq, cseq)
  }

  /** Returns whether these entries are certainly published. */
  isPublished(roomId: number, end: RoomEnd): boolean {
    const published = this.#published.get(roomId)
    return published !== undefined && published.seq >= end.seq && published.cseq >= end.cseq
  }

  /** Records the published position of a room; removes a finished room and moves any other to the end of the queue. */
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
      }
      this.#candidates.set(roomId, candidate)
    }
    return candidate
  }
}
