import {
  listMessages,
  listReadPositions,
  listRoomMembers,
  type Message,
  markRead,
  type Room,
  type Session,
  type StreamFrame,
  sendMessage,
  sendTyping,
  Timeline,
} from '@bigtech/client'
import { h, shortTime } from './dom.ts'
import { explain } from './login-view.ts'
import { systemLine } from './system-line.ts'

interface Pending {
  readonly clientMessageId: string
  readonly content: string
  failure?: string
}

const TYPING_EVERY_MS = 3_000
/** One request for all that was read meanwhile. */
const READ_EVERY_MS = 3_000

/** One room: its history, what is being sent, the composer. */
export class RoomPane {
  readonly elements: readonly HTMLElement[]
  readonly #session: Session
  readonly #room: Room
  readonly #names = new Map<number, string>()
  #timeline: Timeline
  readonly #pending = new Map<string, Pending>()
  readonly #messages = h('div', { class: 'messages', 'aria-live': 'polite' })
  readonly #typing = h('p', { class: 'typing quiet' })
  readonly #input = h('input', { name: 'content', placeholder: 'Message', autocomplete: 'off' })
  #typingShown: ReturnType<typeof setTimeout> | undefined
  #typingSentAt = 0
  #readSeq = 0
  #readDue: ReturnType<typeof setTimeout> | undefined

  constructor(session: Session, room: Room) {
    this.#session = session
    this.#room = room
    this.#timeline = new Timeline(room.room_id)
    this.#input.addEventListener('input', () => this.#sayTyping())
    this.elements = [
      h(
        'header',
        {},
        h('strong', {}, room.title),
        h('span', { class: 'quiet' }, `${room.member_count} people`),
      ),
      this.#messages,
      this.#typing,
      h(
        'form',
        { class: 'composer', submit: (event) => this.#submit(event) },
        this.#input,
        h('button', { type: 'submit' }, 'Send'),
      ),
    ]
  }

  async load(): Promise<void> {
    const params = { room_id: this.#room.room_id }
    try {
      const [history] = await Promise.all([
        this.#session.call(listMessages, { params, query: { limit: 50 } }),
        this.#loadMembers(),
      ])
      this.#timeline.load(history.items)
      this.#render()
      this.#input.focus()
    } catch (err) {
      this.#typing.textContent = explain(err)
    }
  }

  /** Who is here, and how far each has read: nobody tells of that while the stream is away. */
  async #loadMembers(): Promise<void> {
    const params = { room_id: this.#room.room_id }
    const [positions, members] = await Promise.all([
      this.#session.call(listReadPositions, { params }),
      this.#session.call(listRoomMembers, { params, query: { limit: 100 } }),
    ])
    this.#timeline.loadPositions(positions.items)
    for (const { user_id, display_name } of members.items) this.#names.set(user_id, display_name)
  }

  apply(frame: StreamFrame): void {
    if (frame.event === 'reset') {
      // What is held may lack messages in its middle, and changes of them.
      this.#timeline = new Timeline(this.#room.room_id)
      void this.load()
    }
    if (frame.event === 'ready') this.#refreshMembers()
    if (!('room_id' in frame.data) || frame.data.room_id !== this.#room.room_id) return
    if (frame.event === 'typing') this.#showTyping(frame.data.expires_in_ms)
    if (frame.event === 'room_updated' && frame.data.members?.added.length) this.#refreshMembers()
    if (frame.event === 'message') {
      this.#pending.delete(frame.data.message.client_message_id ?? '')
      this.#typing.textContent = ''
    }
    if (this.#timeline.apply(frame)) this.#render()
  }

  #refreshMembers(): void {
    this.#loadMembers().then(
      () => this.#render(),
      () => undefined,
    )
  }

  /** The page is looked at again. */
  seen(): void {
    this.#markRead()
  }

  #submit(event: Event): void {
    event.preventDefault()
    const content = this.#input.value
    if (!content.trim()) return
    this.#input.value = ''
    void this.#send({ clientMessageId: crypto.randomUUID(), content })
  }

  /** The same id for every attempt: whatever happened to the answer, the message is stored once. */
  async #send({ clientMessageId, content }: Pending): Promise<void> {
    this.#pending.set(clientMessageId, { clientMessageId, content })
    this.#render()
    try {
      const message = await this.#session.call(sendMessage, {
        params: { room_id: this.#room.room_id },
        body: { content, client_message_id: clientMessageId },
      })
      this.#pending.delete(clientMessageId)
      this.#timeline.load([message])
    } catch (err) {
      this.#pending.set(clientMessageId, { clientMessageId, content, failure: explain(err) })
    }
    this.#render()
  }

  #render(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#messages
    const wasAtEnd = scrollHeight - scrollTop - clientHeight < 80
    this.#messages.replaceChildren(
      ...this.#timeline.messages.map((message) => this.#messageRow(message)),
      ...[...this.#pending.values()].map((pending) => this.#pendingRow(pending)),
    )
    if (wasAtEnd) this.#messages.scrollTop = this.#messages.scrollHeight
    this.#markRead()
  }

  #messageRow(message: Message): HTMLElement {
    if (message.message_type === 'system') {
      return h(
        'div',
        { class: 'message system' },
        systemLine(message, (userId) => this.#names.get(userId)),
      )
    }
    const mine = message.user_id === this.#session.current?.userId
    const classes = ['message', mine && 'mine', message.is_deleted && 'deleted'].filter(Boolean).join(' ')
    const reactions = message.reactions.map(({ emoji, count }) => `${emoji} ${count}`).join('  ')
    return h(
      'div',
      { class: classes, 'data-seq': String(message.seq) },
      !mine && h('span', { class: 'quiet' }, message.username || 'Unknown user'),
      h(
        'div',
        { class: 'line' },
        h('span', { class: 'bubble' }, ...contentOf(message)),
        h(
          'span',
          { class: 'meta' },
          message.unread_count > 0 && h('span', { class: 'unread' }, String(message.unread_count)),
          h('span', {}, `${message.edited_at ? 'edited ' : ''}${shortTime(message.created_at)}`),
        ),
      ),
      reactions && h('span', { class: 'quiet' }, reactions),
    )
  }

  #pendingRow(pending: Pending): HTMLElement {
    return h(
      'div',
      { class: 'message mine pending' },
      h('div', { class: 'line' }, h('span', { class: 'bubble' }, pending.content)),
      pending.failure !== undefined &&
        h(
          'button',
          { class: 'link', click: () => void this.#send(pending) },
          `${pending.failure} Send again`,
        ),
    )
  }

  /** What is on the screen of a visible page has been read; whoever has written something has read it anyway. */
  #markRead(): void {
    const newest = this.#timeline.messages.at(-1)
    if (document.hidden || this.#readDue !== undefined || !newest || newest.seq <= this.#readSeq) return
    this.#readSeq = newest.seq
    if (newest.user_id === this.#session.current?.userId && newest.message_type !== 'system') return
    this.#readDue = setTimeout(() => {
      this.#readDue = undefined
      if (this.#messages.isConnected) this.#markRead()
    }, READ_EVERY_MS)
    const params = { room_id: this.#room.room_id }
    this.#session.call(markRead, { params, body: { seq: newest.seq } }).catch(() => {
      this.#readSeq = 0
    })
  }

  #sayTyping(): void {
    if (Date.now() - this.#typingSentAt < TYPING_EVERY_MS) return
    this.#typingSentAt = Date.now()
    void this.#session.call(sendTyping, { params: { room_id: this.#room.room_id } }).catch(() => undefined)
  }

  #showTyping(forMs: number): void {
    clearTimeout(this.#typingShown)
    this.#typing.textContent = 'Somebody is typing…'
    this.#typingShown = setTimeout(() => {
      this.#typing.textContent = ''
    }, forMs)
  }
}

function contentOf({ is_deleted, attachment, content }: Message): (Node | string | false)[] {
  if (is_deleted) return ['Deleted message']
  return [
    attachment !== null &&
      h('a', { href: attachment.url, target: '_blank', rel: 'noreferrer noopener' }, attachment.name),
    attachment !== null && content !== '' && h('br'),
    content,
  ]
}
