import { muteAt } from '../membership/membership.ts'
import type { MessageExport } from '../messages/messages.ports.ts'
import type { RoomDetails } from './room-list.repository.ts'

export interface ExportServiceOptions {
  readonly memberships: { roomIdsOf(userId: number): Promise<number[]> }
  readonly list: {
    details(userId: number, roomIds: readonly number[]): Promise<ReadonlyMap<number, RoomDetails>>
  }
  readonly receivers: { strangersMayAdd(userId: number): Promise<boolean> }
  readonly messages: MessageExport
}

/** Exports a user's data as a streamed document, because it may be large. */
export class ExportService {
  readonly #options: ExportServiceOptions

  constructor(options: ExportServiceOptions) {
    this.#options = options
  }

  /** Reads the bounded parts before the first byte, so that an outage can still produce an error response. */
  async exportChatData(userId: number): Promise<AsyncIterable<string>> {
    const { memberships, list, receivers, messages } = this.#options
    const details = await list.details(userId, await memberships.roomIdsOf(userId))
    const now = new Date()
    const head = {
      exported_at: now.toISOString(),
      user_id: userId,
      settings: { strangers_may_add: await receivers.strangersMayAdd(userId) },
      rooms: [...details.values()].map((room) => roomOf(room, now)),
    }
    return write(head, messages.ownMessages(userId))
  }
}

async function* write(head: object, messages: AsyncIterable<object>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"messages":[`
  let separator = ''
  for await (const message of messages) {
    yield separator + JSON.stringify(message)
    separator = ',\n'
  }
  yield ']}'
}

function roomOf(room: RoomDetails, now: Date) {
  const { muted, mutedUntil } = muteAt(room.mutedUntil, now)
  return {
    room_id: room.roomId,
    room_type: room.roomType,
    name: room.name,
    role: room.role,
    created_at: room.createdAt.toISOString(),
    muted,
    muted_until: mutedUntil?.toISOString() ?? null,
    pinned: room.pinnedAt !== null,
    archived: room.archivedAt !== null,
  }
}
