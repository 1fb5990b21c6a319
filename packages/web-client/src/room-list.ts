import { listRooms, type Room, type Session, type StreamFrame } from '@bigtech/client'
import { h, shortTime } from './dom.ts'
import { Rooms } from './rooms.ts'

/** What makes the list stale seldom comes alone. */
const FETCH_AFTER_MS = 150
const FETCH_AGAIN_MS = 5_000

/** The rooms, newest activity first. It fetches them when the stream does not say how they are now. */
export class RoomList {
  readonly element = h('ul', { class: 'rooms' })
  readonly #session: Session
  readonly #onOpen: (room: Room) => void
  readonly #rooms: Rooms
  #openRoomId: number | undefined
  #due: ReturnType<typeof setTimeout> | undefined
  #isFetching = false

  constructor(session: Session, onOpen: (room: Room) => void) {
    this.#session = session
    this.#onOpen = onOpen
    this.#rooms = new Rooms(session.current?.userId ?? 0)
  }

  apply(frame: StreamFrame): void {
    const effect = this.#rooms.apply(frame)
    if (effect === 'changed') this.#render()
    // An answer that is under way may be from before the frame.
    const mayBeLost = this.#isFetching && 'room_id' in frame.data && frame.event !== 'typing'
    if (effect === 'stale' || mayBeLost) this.#fetchIn(FETCH_AFTER_MS)
  }

  #fetchIn(delayMs: number): void {
    this.#due ??= setTimeout(() => {
      this.#due = undefined
      void this.#fetch()
    }, delayMs)
  }

  async #fetch(): Promise<void> {
    this.#isFetching = true
    try {
      const { items } = await this.#session.call(listRooms, { query: { limit: 100 } })
      this.#rooms.load(items)
      this.#render()
    } catch {
      // Without a session there is nobody to show it to.
      if (this.#session.current) this.#fetchIn(FETCH_AGAIN_MS)
    } finally {
      this.#isFetching = false
    }
  }

  #render(): void {
    this.element.replaceChildren(...this.#rooms.list.map((room) => this.#row(room)))
  }

  #row(room: Room): HTMLElement {
    const isOpen = room.room_id === this.#openRoomId
    // What is on the screen is being read; saying so takes a moment.
    const isRead = isOpen && !document.hidden
    return h(
      'li',
      {
        'aria-current': isOpen ? 'true' : 'false',
        'data-room-id': String(room.room_id),
        click: (event) => this.#open(room, event.currentTarget as HTMLElement),
      },
      h('span', { class: 'name' }, room.title),
      h('span', { class: 'quiet' }, room.last_message_at ? shortTime(room.last_message_at) : ''),
      h('span', { class: 'preview quiet' }, previewOf(room)),
      room.unread_count > 0 && !isRead && h('span', { class: 'badge' }, String(room.unread_count)),
    )
  }

  #open(room: Room, row: HTMLElement): void {
    this.#openRoomId = room.room_id
    for (const other of this.element.children) other.setAttribute('aria-current', 'false')
    row.setAttribute('aria-current', 'true')
    this.#onOpen(room)
  }
}

function previewOf({ last_message_preview, last_message_type }: Room): string {
  if (last_message_preview !== '') return last_message_preview ?? ''
  return last_message_type === 'image' ? 'Picture' : last_message_type === 'file' ? 'File' : ''
}
