import type { Message } from '@bigtech/contracts'
import { SharedReads } from '../../shared-reads.ts'
import type { Projection } from './changes/projection.repository.ts'
import { toChange, toRecord } from './log/documents.ts'
import type { MessageRepository } from './log/message.repository.ts'
import type { RoomPosition, RoomPositions } from './log/room-heads.repository.ts'
import type { MessageRecord } from './message.ts'
import type { MessageViews } from './reading/message.view.ts'
import type { ReadPosition, ReadPositionRepository } from './reading/read-positions.repository.ts'
import type { ReadState } from './reading/read-state.ts'
import type { AppliedChange, RoomUpdate, RoomUpdates } from './room-updates.ts'

/** The position that counts in a log of a room. */
export type LogName = keyof RoomPosition

/** One page of a room's logs after a position. */
interface RoomPage {
  readonly messages: readonly MessageRecord[]
  readonly changes: readonly AppliedChange[]
  /** Whether nothing follows. */
  readonly complete: boolean
}

/** The data that streams read from the messages module: the logs of rooms, and states outside the logs. */
export interface StreamSource {
  /** Registers a listener, which must return immediately and never throw. */
  onUpdate(listener: (update: RoomUpdate) => void): void
  /** Returns the exact head of each room. */
  headsOf(roomIds: readonly number[]): Promise<ReadonlyMap<number, RoomPosition>>
  /** Returns the rooms whose logs go on after the given positions, with which of the logs do: exact, by primary key. */
  roomsBeyond(positions: ReadonlyMap<number, RoomPosition>): Promise<ReadonlyMap<number, readonly LogName[]>>
  /**
   * Returns, for each of the rooms with entries created since then, the position before the first of them.
   *
   * @param heads of the rooms: a log without such an entry starts there
   * @returns undefined when there are more entries than `limit`
   */
  positionsBefore(
    since: Date,
    heads: ReadonlyMap<number, RoomPosition>,
    limit: number,
  ): Promise<ReadonlyMap<number, RoomPosition> | undefined>
  /** Returns a page whose changes are of messages up to its end: they are delivered after its messages. */
  pageAfter(roomId: number, position: RoomPosition): Promise<RoomPage>
  /** Returns messages as everybody sees them; `personalView` makes them one member's. */
  sharedViews(records: readonly MessageRecord[]): Promise<readonly Message[]>
  /** Returns who deleted these messages for themselves. */
  hiddenFrom(messageIds: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>>
  /** Returns the messages that the user deleted for themselves since then. */
  hiddenSince(userId: number, since: Date, limit: number): Promise<readonly string[]>
  /** Returns how far each member has read. */
  readPositions(roomId: number): Promise<ReadonlyMap<number, number>>
  /** Returns the positions that moved since then. */
  readsSince(roomIds: readonly number[], since: Date, limit: number): Promise<readonly ReadPosition[]>
  /** Records a position reported by another process. */
  noteRead(position: ReadPosition): void
}

const PAGE = 200

export interface StreamSourceParts {
  readonly repository: MessageRepository
  readonly projection: Projection
  readonly views: MessageViews
  readonly positions: ReadPositionRepository
  readonly reads: ReadState
  readonly rooms: RoomPositions
  readonly updates: RoomUpdates
}

/** Exposes the parts of this module that streams need as one port. */
export function createStreamSource(parts: StreamSourceParts): StreamSource {
  const { repository, projection, views, positions, reads, rooms, updates } = parts
  const { messages, changes } = repository
  // Members of one room who were delivered to together resume together.
  const moves = new SharedReads<readonly ReadPosition[]>()
  return {
    onUpdate: (listener) => updates.onUpdate(listener),
    headsOf: (roomIds) => rooms.of(roomIds),
    roomsBeyond: async (known) => {
      const of = (log: LogName) => new Map([...known].map(([roomId, each]) => [roomId, each[log]]))
      const [bySeq, byCseq] = await Promise.all([
        messages.roomsBeyond(of('seq')),
        changes.roomsBeyond(of('cseq')),
      ])
      const logs = new Map<number, LogName[]>(bySeq.map((roomId) => [roomId, ['seq']]))
      for (const roomId of byCseq) logs.set(roomId, [...(logs.get(roomId) ?? []), 'cseq'])
      return logs
    },
    positionsBefore: async (since, heads, limit) => {
      if (heads.size === 0) return new Map()
      const roomIds = [...heads.keys()]
      const [firstSeqs, firstCseqs] = await Promise.all([
        messages.firstSince(roomIds, since, limit),
        changes.firstSince(roomIds, since, limit),
      ])
      if (!firstSeqs || !firstCseqs) return undefined
      const before = (first: number | undefined, head: number) => (first === undefined ? head : first - 1)
      return new Map(
        [...new Set([...firstSeqs.keys(), ...firstCseqs.keys()])].map((roomId) => {
          const { seq, cseq } = heads.get(roomId)!
          return [
            roomId,
            { seq: before(firstSeqs.get(roomId), seq), cseq: before(firstCseqs.get(roomId), cseq) },
          ]
        }),
      )
    },
    pageAfter: (roomId, position) => readPage(repository, projection, roomId, position),
    sharedViews: (records) => views.shared(records),
    hiddenFrom: async (messageIds) =>
      messageIds.length > 0 ? repository.hiddenFrom(messageIds) : new Map<string, number[]>(),
    hiddenSince: (userId, since, limit) => repository.hiddenSince(userId, since, limit),
    readPositions: async (roomId) => (await reads.snapshot(roomId)).positions,
    readsSince: async (roomIds, since, limit) =>
      roomIds.length > 0
        ? moves.get(`${since.getTime()}:${limit}:${roomIds.join()}`, () =>
            positions.movedSince(roomIds, since, limit),
          )
        : [],
    noteRead: (position) => reads.noteRead(position),
  }
}

async function readPage(
  repository: MessageRepository,
  projection: Projection,
  roomId: number,
  position: RoomPosition,
): Promise<RoomPage> {
  // Read changes first: the message of every change read is then already in its log.
  const changeDocs = await repository.changes.after(roomId, position.cseq, PAGE)
  const messages = (await repository.messages.after(roomId, position.seq, PAGE)).map(toRecord)
  const newest = messages.at(-1)?.seq ?? position.seq
  const changed = await projection.load([...new Set(changeDocs.map(({ message_id }) => message_id))])
  const changes: AppliedChange[] = []
  for (const doc of changeDocs) {
    const message = changed.get(doc.message_id)
    // The message is on a later page, and the change follows with it.
    if (!message || message.seq > newest) break
    const { cseq, at, body } = toChange(doc)
    changes.push({ cseq, at, kind: body.kind, message })
  }
  const complete = messages.length < PAGE && changeDocs.length < PAGE && changes.length === changeDocs.length
  return { messages, changes, complete }
}
