import type { Message, Room, StreamFrame, StreamFrameData } from '@bigtech/client'

/** `stale`: what is held is not enough to say how the list looks now. */
export type Effect = 'unchanged' | 'changed' | 'stale'

const PREVIEW_CHARACTERS = 100

/**
 * The rooms as a list shows them. Frames that come with every message are applied to what is held: a
 * page that fetched its list for each of them would soon be refused for asking too often.
 */
export class Rooms {
  readonly #ownId: number
  readonly #byId = new Map<number, Room>()

  constructor(ownId: number) {
    this.#ownId = ownId
  }

  /** In the order of `GET /rooms`. */
  get list(): Room[] {
    return [...this.#byId.values()].sort(
      (a, b) =>
        Number(b.pinned) - Number(a.pinned) ||
        Date.parse(b.last_activity_at) - Date.parse(a.last_activity_at) ||
        b.room_id - a.room_id,
    )
  }

  load(rooms: readonly Room[]): void {
    this.#byId.clear()
    for (const room of rooms) this.#byId.set(room.room_id, room)
  }

  apply(frame: StreamFrame): Effect {
    switch (frame.event) {
      // After a pause: what is no entry of a log (names, who is in which room) was not told.
      case 'reset':
      case 'ready':
      case 'room_added':
      case 'room_updated':
      case 'message_hidden':
        return 'stale'
      case 'room_removed':
        return this.#byId.delete(frame.data.room_id) ? 'changed' : 'unchanged'
      case 'message':
        return this.#message(frame.data.message)
      case 'message_updated':
        return this.#updated(frame.data.message)
      case 'read':
        return this.#read(frame.data)
      default:
        return 'unchanged'
    }
  }

  #message(message: Message): Effect {
    const room = this.#byId.get(message.room_id)
    if (!room) return 'stale'
    if (message.seq <= room.last_seq) return 'unchanged'
    const isMine = message.user_id === this.#ownId && message.message_type !== 'system'
    const mentionsMe = message.mentions.includes(this.#ownId)
    this.#byId.set(room.room_id, {
      ...room,
      last_seq: message.seq,
      last_activity_at: message.created_at,
      last_message_at: message.created_at,
      last_message_type: message.message_type,
      last_message_preview: previewOf(message),
      unread_count: isMine ? 0 : room.unread_count + 1,
      mention_count: isMine ? 0 : room.mention_count + Number(mentionsMe),
    })
    return 'changed'
  }

  #updated(message: Message): Effect {
    const room = this.#byId.get(message.room_id)
    if (room?.last_seq !== message.seq) return 'unchanged'
    this.#byId.set(room.room_id, { ...room, last_message_preview: previewOf(message) })
    return 'changed'
  }

  #read({ room_id, positions }: StreamFrameData<'read'>): Effect {
    const room = this.#byId.get(room_id)
    const own = positions.find(({ user_id }) => user_id === this.#ownId)
    if (!room || !own) return 'unchanged'
    const unread_count = Math.min(room.unread_count, Math.max(0, room.last_seq - own.seq))
    if (unread_count === room.unread_count) return 'unchanged'
    // How many of those that are left mention one, only the server knows; the page does not show it.
    const mention_count = Math.min(room.mention_count, unread_count)
    this.#byId.set(room_id, { ...room, unread_count, mention_count })
    return 'changed'
  }
}

function previewOf(message: Message): string | null {
  return message.is_deleted ? null : [...message.content].slice(0, PREVIEW_CHARACTERS).join('')
}
