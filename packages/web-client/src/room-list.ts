import { listRooms, type Room, type Session, type StreamFrame } from '@bigtech/client'
import { h, shortTime } from './dom.ts'

/** Frames after which the list is not what it was. */
const changing = new Set<StreamFrame['event']>([
  'reset',
  'message',
  'message_updated',
  'read',
  'room_added',
  'room_updated',
  'room_removed',
])
/** A busy room must not make the page fetch its list for every message. */
const REFRESH_AFTER_MS = 150

/** The rooms, newest activity first. It fetches the list again when something in it has changed. */
export class RoomList {
  readonly element = h('ul', { class: 'rooms' })
  readonly #session: Session
  readonly #onOpen: (room: Room) => void
  #openRoomId: number | undefined
  #refresh: ReturnType<typeof setTimeout> | undefined

  constructor(session: Session, onOpen: (room: Room) => void) {
    this.#session = session
    this.#onOpen = onOpen
  }

  apply(frame: StreamFrame): void {
    if (!changing.has(frame.event) || this.#refresh !== undefined) return
    this.#refresh = setTimeout(() => {
      this.#refresh = undefined
      void this.#load()
    }, REFRESH_AFTER_MS)
  }

  async #load(): Promise<void> {
    const { items } = await this.#session
      .call(listRooms, { query: { limit: 100 } })
      .catch(() => ({ items: null }))
    if (items) this.element.replaceChildren(...items.map((room) => this.#row(room)))
  }

  #row(room: Room): HTMLElement {
    return h(
      'li',
      {
        'aria-current': room.room_id === this.#openRoomId ? 'true' : 'false',
        'data-room-id': String(room.room_id),
        click: (event) => this.#open(room, event.currentTarget as HTMLElement),
      },
      h('span', { class: 'name' }, room.title),
      h('span', { class: 'quiet' }, room.last_message_at ? shortTime(room.last_message_at) : ''),
      h('span', { class: 'preview quiet' }, room.last_message_preview ?? ''),
      room.unread_count > 0 && h('span', { class: 'badge' }, String(room.unread_count)),
    )
  }

  #open(room: Room, row: HTMLElement): void {
    this.#openRoomId = room.room_id
    for (const other of this.element.children) other.setAttribute('aria-current', 'false')
    row.setAttribute('aria-current', 'true')
    this.#onOpen(room)
  }
}
