import type { Message, Room, StreamFrame, StreamFrameData } from '@bigtech/client'

/** `stale`: the list must be fetched again; `{ fetch }`: that room must be. */
export type Effect = 'unchanged' | 'changed' | 'stale' | { readonly fetch: number }

const PREVIEW_CHARACTERS = 100

/**
 * The rooms of the list. Frames are applied to the loaded rooms, because fetching the list for every message
 * would exceed the rate limit.
 */
export class Rooms {
  readonly #ownId: number
  readonly #byId = new Map<number, Room>()

  constructor(ownId: number) {
    this.#ownId = ownId
  }

  /** Returns the rooms in the order of `GET /rooms`. */
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

  /** Adds or replaces a room fetched individually. */
  put(room: Room): void {
    if (room.archived) this.#byId.delete(room.room_id)
    else this.#byId.set(room.room_id, room)
  }

  remove(roomId: number): void {
    this.#byId.delete(roomId)
  }

  get(roomId: number): Room | undefined {
    return this.#byId.get(roomId)
  }

  apply(frame: StreamFrame): Effect {
    switch (frame.event) {
      // Names and memberships are not log entries: a resumed stream does not repeat their changes.
      case 'reset':
      case 'ready':
        return 'stale'
      case 'lists_changed':
        return frame.data.lists.includes('rooms') ? 'stale' : 'unchanged'
      case 'room_added':
      case 'room_updated':
      case 'message_hidden':
        return { fetch: frame.data.room_id }
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
    if (!room) return { fetch: message.room_id }
    if (message.seq <= room.last_seq) return 'unchanged'
    const isMine = message.user_id === this.#ownId && message.message_type !== 'system'
    const mentionsMe = message.mentions.includes(this.#ownId)
    const isNews = message.message_type !== 'system'
    this.#byId.set(room.room_id, {
      ...room,
      last_seq: message.seq,
      last_activity_at: message.created_at,
      last_message_at: message.created_at,
      last_message_type: message.message_type,
      last_message_preview: previewOf(message),
      unread_count: isMine ? 0 : room.unread_count + Number(isNews),
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
    // Only the server knows how many of the remaining ones mention the user.
    const mention_count = Math.min(room.mention_count, unread_count)
    this.#byId.set(room_id, { ...room, unread_count, mention_count })
    return 'changed'
  }
}

function previewOf(message: Message): string | null {
  return message.is_deleted ? null : [...message.content].slice(0, PREVIEW_CHARACTERS).join('')
}
