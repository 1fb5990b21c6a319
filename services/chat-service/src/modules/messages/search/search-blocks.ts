import { crc32 } from 'node:zlib'
import { positionId, positionOf, roomOf } from '../message.ts'
import type { SearchEntry, SearchPosition } from './search-index.ts'

/** Collection of the blocks. */
export const searchBlocks = 'search_blocks'

/** How much a search does at a time. */
export interface SearchBounds {
  /** Number of blocks whose filters are compared by the first query over several rooms. A common word fills a page from a few. */
  readonly firstBlocks: number
  /** The same for any query, which then takes 20 to 50 ms. */
  readonly stepBlocks: number
  /** Number of matching blocks returned by the first query over several rooms. */
  readonly firstRead: number
  /** The same for any query. */
  readonly stepRead: number
}

/** Number of consecutive positions of a room that share a document of the index. */
export const BLOCK_SIZE = 32

/** The index of one block of messages. The rows are exact except for collisions of hashes; the filter is derived from them. */
export interface BlockDocument {
  /** The room and the number of the block, in the format of a message id. */
  readonly _id: string
  readonly room_id: number
  /** Time of the first message in the block. */
  readonly from: Date
  /** Time of the last message in the block. */
  readonly until: Date
  /** Increases with each write, for optimistic locking. */
  readonly rev: number
  /**
   * A Bloom filter of all tokens: 4,096 bits in integers that the server compares one by one. Nested, because a server finds a field of
   * a document by a linear search; a binary value would be compared bit by bit over its whole length.
   */
  readonly filter: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** One row per message: offset in the block (1 byte), version (4), time (6), number of tokens (2), their hashes (2 each). */
  readonly rows: Bytes
}

/** Bytes as they are written, or in the form in which MongoDB's driver returns them. */
type Bytes = Uint8Array | { value(): Uint8Array }

const GROUPS = 16
const WORDS = 8
const WORD_BITS = 32
const HEADER = 13
const HASH_BYTES = 2

export function blockIdOf(messageId: string): string {
  return positionId(roomOf(messageId), Math.floor(positionOf(messageId) / BLOCK_SIZE))
}

/** Returns the block with the entries added, each unless a newer version is present; undefined when nothing changes. */
export function withEntries(
  id: string,
  block: BlockDocument | undefined,
  entries: readonly SearchEntry[],
): BlockDocument | undefined {
  const rows = new Map([...(block ? rowsOf(block) : [])].map((row) => [row.offset, row]))
  let isChanged = false
  for (const { messageId, at, version, tokens } of entries) {
    const offset = positionOf(messageId) % BLOCK_SIZE
    const known = rows.get(offset)
    if (known && known.version >= version) continue
    rows.set(offset, { offset, version, at: at.getTime(), hashes: [...new Set(tokens.map(hashOf))] })
    isChanged = true
  }
  if (!isChanged) return undefined
  const sorted = [...rows.values()].sort((a, b) => a.offset - b.offset)
  const times = sorted.map(({ at }) => at)
  return {
    _id: id,
    room_id: roomOf(id),
    from: new Date(Math.min(...times)),
    until: new Date(Math.max(...times)),
    rev: (block?.rev ?? 0) + 1,
    filter: filterOf(sorted),
    rows: Buffer.concat(sorted.map(encode)),
  }
}

interface Row {
  readonly offset: number
  readonly version: number
  readonly at: number
  readonly hashes: readonly number[]
}

/** Returns the versions of the messages in a block, by message id. */
export function versionsOf(block: BlockDocument): Map<string, number> {
  return new Map([...rowsOf(block)].map(({ offset, version }) => [messageIdOf(block, offset), version]))
}

/** Returns the conditions of a query for the blocks that may contain all tokens. */
export function filterConditions(tokens: readonly string[]): Record<string, { $bitsAllSet: number[] }> {
  const bits = new Map<string, Set<number>>()
  for (const bit of tokens.flatMap((token) => bitsOf(hashOf(token)))) {
    const [group, word] = placeOf(bit)
    const field = `filter.${group}.${word}`
    bits.set(field, (bits.get(field) ?? new Set()).add(bit % WORD_BITS))
  }
  return Object.fromEntries([...bits].map(([field, set]) => [field, { $bitsAllSet: [...set] }]))
}

/** Returns the messages in a block that have all tokens, newest first. A collision of hashes can add one that has not. */
export function hitsIn(
  block: Pick<BlockDocument, '_id' | 'rows'>,
  tokens: readonly string[],
): SearchPosition[] {
  const wanted = [...new Set(tokens.map(hashOf))]
  const hits: SearchPosition[] = []
  const bytes = bytesOf(block)
  for (let at = 0; at < bytes.length; ) {
    const count = bytes.readUInt16LE(at + 11)
    const end = at + HEADER + count * HASH_BYTES
    if (wanted.every((hash) => hasHash(bytes, at + HEADER, end, hash)))
      hits.push({ at: new Date(bytes.readUIntLE(at + 5, 6)), id: messageIdOf(block, bytes[at]!) })
    at = end
  }
  return hits.reverse()
}

function hasHash(bytes: Buffer, start: number, end: number, hash: number): boolean {
  const [low, high] = [hash & 0xff, hash >>> 8]
  for (let at = start; at < end; at += HASH_BYTES)
    if (bytes[at] === low && bytes[at + 1] === high) return true
  return false
}

function* rowsOf(block: Pick<BlockDocument, '_id' | 'rows'>): Generator<Row> {
  const bytes = bytesOf(block)
  for (let at = 0; at < bytes.length; ) {
    const count = bytes.readUInt16LE(at + 11)
    const start = at + HEADER
    const hashes = Array.from({ length: count }, (_, n) => bytes.readUInt16LE(start + n * HASH_BYTES))
    yield {
      offset: bytes[at]!,
      version: bytes.readUInt32LE(at + 1),
      at: bytes.readUIntLE(at + 5, 6),
      hashes,
    }
    at = start + count * HASH_BYTES
  }
}

function encode({ offset, version, at, hashes }: Row): Buffer {
  const row = Buffer.alloc(HEADER + hashes.length * HASH_BYTES)
  row[0] = offset
  row.writeUInt32LE(version, 1)
  row.writeUIntLE(at, 5, 6)
  row.writeUInt16LE(hashes.length, 11)
  for (const [n, hash] of hashes.entries()) row.writeUInt16LE(hash, HEADER + n * HASH_BYTES)
  return row
}

function bytesOf({ rows }: Pick<BlockDocument, 'rows'>): Buffer {
  const bytes = rows instanceof Uint8Array ? rows : rows.value()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function messageIdOf({ _id }: Pick<BlockDocument, '_id'>, offset: number): string {
  return positionId(roomOf(_id), positionOf(_id) * BLOCK_SIZE + offset)
}

function hashOf(token: string): number {
  return crc32(token) >>> 16
}

/** Returns three of the filter's bits. Derived from the stored hash, so that a filter can be computed again without the text. */
function bitsOf(hash: number): number[] {
  return [hash & 0xfff, Math.imul(hash, 0x9e3779b1) >>> 20, Math.imul(hash, 0x85ebca6b) >>> 20]
}

function placeOf(bit: number): [group: string, word: string] {
  const word = Math.floor(bit / WORD_BITS)
  return [String(word % GROUPS), String(Math.floor(word / GROUPS) % WORDS)]
}

/** Words without a bit are omitted: a message of a few words sets a few of them. */
function filterOf(rows: readonly Row[]): Record<string, Record<string, number>> {
  const filter: Record<string, Record<string, number>> = {}
  for (const hash of new Set(rows.flatMap(({ hashes }) => hashes))) {
    for (const bit of bitsOf(hash)) {
      const [group, word] = placeOf(bit)
      filter[group] ??= {}
      filter[group][word] = (filter[group][word] ?? 0) | (1 << (bit % WORD_BITS))
    }
  }
  return filter
}
