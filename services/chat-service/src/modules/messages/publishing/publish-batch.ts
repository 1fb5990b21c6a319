import type { ChangeDocument, MessageDocument } from '../log/documents.ts'
import type { RoomPosition } from '../log/room-heads.repository.ts'
import { positionId, positionOf } from '../message.ts'
import type { Candidate } from './publish-backlog.ts'

const BATCH = 500

/** A room with unpublished entries. */
export interface Room {
  readonly roomId: number
  readonly candidate: Candidate
  readonly published: RoomPosition
}

/** Returns at most 500 ids after the published positions, which have no gaps. */
export function idsBeyond(
  rooms: readonly Room[],
  range: (room: Room) => readonly [after: number, to: number],
): string[] {
  const ids: string[] = []
  for (const room of rooms) {
    const [after, to] = range(room)
    for (let position = after + 1; position <= to && ids.length < BATCH; position++)
      ids.push(positionId(room.roomId, position))
  }
  return ids
}

/** Returns the contiguous entries of a room from a position on. */
export function prefix<Document extends MessageDocument | ChangeDocument>(
  docs: readonly Document[],
  roomId: number,
  after: number,
): Document[] {
  const ofRoom = docs.filter(({ room_id }) => room_id === roomId)
  const gap = ofRoom.findIndex(({ _id }, index) => positionOf(_id) !== after + 1 + index)
  return gap === -1 ? ofRoom : ofRoom.slice(0, gap)
}
