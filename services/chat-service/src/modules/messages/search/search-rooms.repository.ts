import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import {
  type BlockDocument,
  filterConditions,
  hitsIn,
  type SearchBounds,
  searchBlocks,
} from './search-blocks.ts'
import { compare, isOlder, type SearchHits, type SearchPosition, type SearchRequest } from './search-index.ts'

const DAY_MS = 24 * 60 * 60 * 1_000
const NARROWER = 8
/** Growth of the number of blocks from one step to the next. */
const GROWTH = 4
const MAX_WIDER = 64
/** Fraction of the blocks of a step that the next window should contain: rooms are not equally busy at all times. */
const FULLNESS = 0.7
/** A message is indexed within this time after it was sent, unless the indexer is behind. */
const INDEX_LAG_MS = 10_000

/** Milliseconds since 1970. Without `top` everything newer. */
interface Range {
  readonly bottom: number
  /** Exclusive. */
  readonly top: number | undefined
}

/** What the next step reads: blocks whose last message is older than `top`. */
interface Window {
  readonly top: number | undefined
  readonly width: number
  /** Number of blocks it may contain. */
  readonly blocks: number
  /** Number of matching blocks that are read. */
  readonly maxRead: number
  /** From here to `top` there are more than `blocks`. */
  readonly tooFar?: number | undefined
}

/** A window, or its newest part, that has been searched. */
interface Done {
  readonly newest: number
  readonly bottom: number
  readonly tooFar: number | undefined
  readonly compared: number
  readonly isCut: boolean
}

type FoundBlock = Pick<BlockDocument, '_id' | 'rows' | 'until'>

/**
 * Searches the blocks of any number of rooms, newest first, in windows of time. The number of blocks in a window is counted before their
 * filters are compared, and a window with too many is made narrower: the work of each query is bounded, whatever the rooms and words.
 *
 * A window contains the blocks whose last message is in it, so hits are complete down to the start of the last window.
 */
export class RoomsSearch {
  readonly #store: MongoStore
  readonly #bounds: SearchBounds

  constructor(store: MongoStore, bounds: SearchBounds) {
    this.#store = store
    this.#bounds = bounds
  }

  async find(request: SearchRequest): Promise<SearchHits> {
    const { roomIds, tokens, before, limit, until: deadline } = request
    const startedAt = Date.now()
    const search = { roomIds, tokens }
    const found = new Map<string, SearchPosition>()
    const add = (blocks: readonly FoundBlock[]) => {
      for (const hit of blocks.flatMap((block) => hitsIn(block, tokens)))
        if (isOlder(hit, before)) found.set(hit.id, hit)
    }
    const completeTo = (bottom: number) => [...found.values()].filter(({ at }) => at.getTime() >= bottom)
    let window = this.#firstWindow(request)
    if (before) {
      const spanning = await this.#spanning(search, before)
      add(spanning.blocks)
      if (spanning.perMs > 0) window = { ...window, width: (FULLNESS * window.blocks) / spanning.perMs }
    }
    for (let isFirst = before === undefined; ; isFirst = false) {
      const { blocks, bottom, count, next } = await this.#step(search, window)
      add(blocks)
      window = next
      // Few windows are empty: after such a one the next is much wider.
      const isLate = count > 0 && performance.now() >= deadline
      if (completeTo(bottom).length < limit && bottom > 0 && !isLate) continue
      // A message that has arrived meanwhile has moved its block out of the windows below the first.
      if (!isFirst)
        add((await this.#read(search, { bottom: startedAt - INDEX_LAG_MS, top: undefined })).blocks)
      return pageOf(completeTo(bottom), limit, bottom)
    }
  }

  #firstWindow({ roomIds, before }: SearchRequest): Window {
    const { firstBlocks, stepBlocks, firstRead, stepRead } = this.#bounds
    if (before && !before.id)
      return { top: endOf(before), width: DAY_MS, blocks: stepBlocks, maxRead: stepRead }
    // At least one per room, because each query looks up every room.
    const blocks = Math.max(firstBlocks, roomIds.length)
    return { top: before && endOf(before), width: DAY_MS, blocks, maxRead: firstRead }
  }

  /** Searches one window, or the newest part of it when it contains too many matching blocks. */
  async #step(search: Search, window: Window) {
    const { top } = window
    const newest = top ?? Date.now()
    const rangeOf = (ms: number) => ({ bottom: Math.max(0, newest - ms), top })
    const { range, count, tooFar } = await this.#fit(search.roomIds, rangeOf, window)
    const read =
      count > 0 ? await this.#read(search, range, window.maxRead) : { blocks: [], bottom: range.bottom }
    const { blocks, bottom } = read
    const part = (newest - bottom) / Math.max(1, newest - range.bottom)
    const next = this.#next(window, {
      newest,
      bottom,
      tooFar,
      compared: Math.ceil(count * part),
      isCut: part < 1,
    })
    return { blocks, bottom, count, next }
  }

  /** Returns the window below one that has been searched. */
  #next(window: Window, { newest, bottom, compared, isCut, ...done }: Done): Window {
    const isFull = compared >= window.blocks / GROWTH
    const wanted = isFull ? Math.min(window.blocks * GROWTH, this.#bounds.stepBlocks) : window.blocks
    const blocks = isCut ? Math.max(1, compared) : wanted
    const width = Math.max(1, newest - bottom) * widerFor(blocks, compared)
    // Rooms without a message for a long time: half the way to where there are too many.
    const tooFar = blocks === window.blocks ? (done.tooFar ?? window.tooFar) : undefined
    const next = { top: bottom, width, blocks, maxRead: this.#bounds.stepRead }
    if (tooFar === undefined || tooFar >= bottom) return next
    return { ...next, width: Math.min(width, (bottom - tooFar) / 2), tooFar }
  }

  /** Returns the range, made narrower until it contains at most this many blocks. Never narrower than 1 ms, whatever it contains. */
  async #fit(
    roomIds: readonly number[],
    rangeOf: (width: number) => Range,
    { width, blocks }: Pick<Window, 'width' | 'blocks'>,
  ): Promise<{ range: Range; count: number; tooFar: number | undefined }> {
    let tooFar: number | undefined
    for (let ms = Math.max(1, Math.floor(width)); ; ms = Math.max(1, Math.floor(ms / NARROWER))) {
      const range = rangeOf(ms)
      const count = await this.#store.run('search.count', () =>
        this.#blocks.countDocuments(inRange(roomIds, range), { limit: blocks + 1 }),
      )
      if (count <= blocks || ms === 1) return { range, count, tooFar }
      tooFar = range.bottom
    }
  }

  /** Reads the newest matching blocks of a range. Complete down to `bottom`. */
  async #read(
    { roomIds, tokens }: Search,
    range: Range,
    maxRead = this.#bounds.stepRead,
  ): Promise<{ blocks: FoundBlock[]; bottom: number }> {
    for (let wanted = maxRead; ; wanted *= GROWTH) {
      const blocks = await this.#store.find<BlockDocument, FoundBlock>('search.find', this.#blocks, {
        filter: { ...inRange(roomIds, range), ...filterConditions(tokens) } as mongo.Filter<BlockDocument>,
        projection: { rows: 1, until: 1 },
        sort: { until: -1 },
        limit: wanted,
      })
      if (blocks.length < wanted) return { blocks, bottom: range.bottom }
      const bottom = blocks.at(-1)!.until.getTime() + 1
      const complete = blocks.filter(({ until }) => until.getTime() >= bottom)
      if (complete.length > 0) return { blocks: complete, bottom }
    }
  }

  /**
   * Returns matching blocks that begin before the position and end after it. They are at most one per room: its first block that ends after
   * the position. Rooms are looked up in wider and wider windows, each room until its block is found.
   */
  async #spanning({ roomIds, tokens }: Search, before: SearchPosition): Promise<Spanning> {
    const ids: string[] = []
    let [rooms, perMs] = [roomIds, 0]
    for (let bottom: number | undefined = endOf(before), width = DAY_MS; bottom !== undefined; ) {
      const start: number = bottom
      const rangeOf = (ms: number) => ({
        bottom: start,
        top: start + ms < Date.now() ? start + ms : undefined,
      })
      const { range, count } = await this.#fit(rooms, rangeOf, { width, blocks: this.#bounds.stepBlocks })
      const firsts = count > 0 ? await this.#firstBlocks(rooms, range) : []
      ids.push(...firsts.filter(({ from }) => from <= before.at).map(({ id }) => id))
      const known = new Set(firsts.map(({ _id }) => _id))
      rooms = rooms.filter((roomId) => !known.has(roomId))
      const span = Math.max(1, (range.top ?? Date.now()) - start)
      perMs ||= count / span
      bottom = rooms.length > 0 ? range.top : undefined
      width = span * widerFor(this.#bounds.stepBlocks, count)
    }
    if (ids.length === 0) return { blocks: [], perMs }
    const blocks = await this.#store.find<BlockDocument, FoundBlock>('search.spanning', this.#blocks, {
      filter: { _id: { $in: ids }, ...filterConditions(tokens) } as mongo.Filter<BlockDocument>,
      projection: { rows: 1, until: 1 },
      limit: ids.length,
    })
    return { blocks, perMs }
  }

  /** Returns the first block of each room that ends in the range. Ids and times of a room's blocks have the same order. */
  #firstBlocks(roomIds: readonly number[], range: Range): Promise<{ _id: number; id: string; from: Date }[]> {
    const pipeline = [
      { $match: inRange(roomIds, range) },
      { $group: { _id: '$room_id', id: { $min: '$_id' }, from: { $min: '$from' } } },
    ]
    return this.#store.run('search.first_blocks', () =>
      this.#blocks.aggregate<{ _id: number; id: string; from: Date }>(pipeline).toArray(),
    )
  }

  get #blocks(): mongo.Collection<BlockDocument> {
    return this.#store.collection<BlockDocument>(searchBlocks)
  }
}

interface Spanning {
  readonly blocks: readonly FoundBlock[]
  /** Number of blocks that end in a millisecond after the position; 0 when none do. */
  readonly perMs: number
}

type Search = Pick<SearchRequest, 'roomIds' | 'tokens'>

function inRange(roomIds: readonly number[], { bottom, top }: Range): mongo.Filter<BlockDocument> {
  return {
    room_id: { $in: [...roomIds] },
    until: { $gte: new Date(bottom), ...(top === undefined ? {} : { $lt: new Date(top) }) },
  }
}

/** Returns by how much a window with `count` blocks should be wider to contain this many. */
function widerFor(blocks: number, count: number): number {
  return count === 0 ? MAX_WIDER : Math.min(MAX_WIDER, (FULLNESS * blocks) / count)
}

/** Returns the time before which everything older than the position was sent. */
function endOf({ at, id }: SearchPosition): number {
  return id === '' ? at.getTime() : at.getTime() + 1
}

function pageOf(complete: readonly SearchPosition[], limit: number, bottom: number): SearchHits {
  const hits = complete.toSorted(compare).slice(0, limit)
  if (hits.length === limit) return { hits, next: hits.at(-1)! }
  return { hits, next: bottom > 0 ? { at: new Date(bottom), id: '' } : null }
}
