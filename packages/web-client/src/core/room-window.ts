import { type Message, type StreamFrame, Timeline } from '@bigtech/client'
import { call } from './api.ts'
import { HISTORY_PAGE, requests } from './first-screen.ts'
import { Store } from './store.ts'

export interface RoomView {
  readonly status: 'loading' | 'ready' | 'failed'
  readonly failure?: unknown
  /** Ascending by `seq`, without gaps. */
  readonly messages: readonly Message[]
  readonly hasOlder: boolean
  /** Whether the window ends before the newest message, after a jump into the past. */
  readonly hasNewer: boolean
  /** First message that was unread when the room was opened. */
  readonly unreadFrom?: number
  /** A message to scroll to once; `id` distinguishes two jumps to the same message. */
  readonly target?: { readonly seq: number; readonly id: number; readonly highlight: boolean }
}

interface LoadOptions {
  readonly around?: number
  /** Scrolls to the message at `around`, or to the newest. */
  readonly jump?: 'highlight' | 'show'
  /** Sets the marker of unread messages. */
  readonly isOpening?: boolean
}

const empty: RoomView = { status: 'loading', messages: [], hasOlder: false, hasNewer: false }

/**
 * The loaded part of a room's history: a contiguous run of messages, extended at either end by paging, kept
 * current by frames.
 */
export class RoomWindow {
  readonly roomId: number
  readonly view = new Store<RoomView>(empty)
  readonly #ownId: number
  #timeline: Timeline
  #shown = new Map<number, Message>()
  #headSeq = 0
  #ownSeq = 0
  /** The message in the middle of the screen. */
  #placeSeq: number | undefined
  #paging: Promise<void> | undefined
  /** The load in progress. */
  #loading: LoadOptions | undefined
  /** Changes received during a load, because its response may be older and replaces the timeline. */
  #heldBack: (() => void)[] = []
  #jumps = 0
  /** Invalidates responses for a replaced window. */
  #generation = 0

  constructor(roomId: number, ownId: number) {
    this.roomId = roomId
    this.#ownId = ownId
    this.#timeline = new Timeline(roomId)
  }

  get headSeq(): number {
    return this.#headSeq
  }

  /**
   * Loads the newest messages, those around `around`, or on opening those around the first unread one. The
   * current content stays visible until the response arrives.
   */
  async load(options: LoadOptions = {}): Promise<void> {
    const generation = ++this.#generation
    this.#loading = options
    this.#placeSeq = options.around
    try {
      const [newest, positions] = await Promise.all([
        this.#fetchPage(options.around),
        call(...requests.readPositions(this.roomId)),
      ])
      this.#hearRead(positions.items)
      const unread = this.#ownSeq + 1
      const isUnreadBefore = options.isOpening && !options.around && unread < (newest.items[0]?.seq ?? 1)
      const page = isUnreadBefore ? await this.#fetchPage(unread) : newest
      if (generation !== this.#generation) return
      this.#restart(page.items, positions.items, page.last_seq)
      this.#publish(this.#loadedView(options, page.items))
    } catch (failure) {
      if (generation !== this.#generation) return
      if (this.view.get().status !== 'ready') this.view.set({ ...empty, status: 'failed', failure })
    }
    this.#loading = undefined
    for (const change of this.#heldBack.splice(0)) change()
  }

  /** Reopens the room: resets the unread marker and earlier jumps. */
  reopen(): void {
    const { target: _, unreadFrom: __, ...view } = this.view.get()
    const unreadFrom = this.#unreadFrom()
    this.view.set({ ...view, ...(unreadFrom === undefined ? {} : { unreadFrom }) })
  }

  #fetchPage(around: number | undefined) {
    return call(...requests.messages(this.roomId, around ? { around_seq: around } : {}))
  }

  #loadedView({ around, jump, isOpening }: LoadOptions, loaded: readonly Message[]): RoomView {
    const { unreadFrom: before, failure: _, ...view } = this.view.get()
    const unreadFrom = isOpening ? this.#unreadFrom() : before
    const place = around ?? loaded.at(-1)?.seq
    return {
      ...view,
      status: 'ready',
      hasOlder: (loaded[0]?.seq ?? 1) > 1,
      ...(unreadFrom === undefined ? {} : { unreadFrom }),
      ...(place && jump
        ? { target: { seq: place, id: ++this.#jumps, highlight: jump === 'highlight' } }
        : {}),
    }
  }

  /** Scrolls to a message, fetching its surroundings when they are not loaded. */
  async jumpTo(seq: number, highlight = true): Promise<void> {
    if (!this.#shown.has(seq)) return this.load({ around: seq, jump: highlight ? 'highlight' : 'show' })
    this.#placeSeq = seq
    this.view.update((view) => ({ ...view, target: { seq, id: ++this.#jumps, highlight } }))
  }

  async jumpToNewest(): Promise<void> {
    if (this.view.get().hasNewer) return this.load({ jump: 'show' })
    const newest = this.view.get().messages.at(-1)
    if (newest) await this.jumpTo(newest.seq, false)
  }

  loadOlder(): Promise<void> {
    const first = this.view.get().messages[0]?.seq
    if (!first || !this.view.get().hasOlder) return Promise.resolve()
    return this.#page({ before_seq: first })
  }

  loadNewer(): Promise<void> {
    const last = this.view.get().messages.at(-1)?.seq
    if (!last || !this.view.get().hasNewer) return Promise.resolve()
    return this.#page({ after_seq: last })
  }

  /** Applies the response to a send, an edit or a reaction, which may precede the stream's frame. */
  take(message: Message): void {
    if (this.#loading) {
      this.#heldBack.push(() => this.take(message))
      return
    }
    if (this.#isBeyond(message.seq)) return
    this.#timeline.load([message])
    this.#headSeq = Math.max(this.#headSeq, message.seq)
    this.#publish(this.view.get())
  }

  apply(frame: StreamFrame): void {
    if (frame.event === 'reset') {
      void this.load(this.#loading ?? this.#samePlace())
      return
    }
    if (frame.event === 'ready') void this.#loadPositions()
    if (!('room_id' in frame.data) || frame.data.room_id !== this.roomId) return
    if (this.#loading) {
      this.#heldBack.push(() => this.apply(frame))
      return
    }
    if (frame.event === 'room_updated' && frame.data.members) void this.#loadPositions()
    if (frame.event === 'message' && this.#isBeyond(frame.data.seq)) {
      this.#hearOf(frame.data.message)
      return
    }
    if (frame.event === 'message') this.#headSeq = Math.max(this.#headSeq, frame.data.seq)
    if (frame.event === 'read') this.#hearRead(frame.data.positions)
    if (this.#timeline.apply(frame)) this.#publish(this.view.get())
  }

  /** Returns options for reloading the current position after a reset, including the newest message if it is near. */
  #samePlace(): LoadOptions {
    const { hasNewer, messages } = this.view.get()
    const place = this.#placeSeq
    const isNearNewest = !hasNewer && (place ?? Infinity) > (messages.at(-1)?.seq ?? 0) - HISTORY_PAGE / 2
    return place === undefined || isNearNewest ? {} : { around: place }
  }

  /** Records the message in the middle of the screen. */
  lookAt(seq: number): void {
    this.#placeSeq = seq
  }

  /** Returns the user's read position as known to this window. */
  get ownSeq(): number {
    return this.#ownSeq
  }

  /** Returns whether the user views the past: appending a new message would leave a gap. */
  #isBeyond(seq: number): boolean {
    const { hasNewer, messages } = this.view.get()
    return hasNewer && seq > (messages.at(-1)?.seq ?? 0)
  }

  #hearOf(message: Message): void {
    this.#headSeq = Math.max(this.#headSeq, message.seq)
    // Sending implies reading, regardless of the author's position.
    if (message.message_type !== 'system') {
      const positions = [{ user_id: message.user_id, seq: message.seq }]
      this.#timeline.apply({ event: 'read', data: { room_id: this.roomId, positions } })
    }
    this.#publish(this.view.get())
  }

  #hearRead(positions: readonly { user_id: number; seq: number }[]): void {
    const own = positions.find(({ user_id }) => user_id === this.#ownId)
    if (own) this.#ownSeq = Math.max(this.#ownSeq, own.seq)
  }

  async #page(query: { before_seq: number } | { after_seq: number }): Promise<void> {
    if (this.#paging) return this.#paging
    const generation = this.#generation
    this.#paging = call(...requests.messages(this.roomId, query))
      .then((page) => {
        if (generation !== this.#generation) return
        this.#timeline.load(page.items)
        this.#headSeq = Math.max(this.#headSeq, page.last_seq)
        const isOlder = 'before_seq' in query
        const hasOlder = isOlder ? page.items.length === HISTORY_PAGE : this.view.get().hasOlder
        this.#publish({ ...this.view.get(), hasOlder })
      })
      // Scrolling on retries.
      .catch(() => undefined)
      .finally(() => {
        this.#paging = undefined
      })
    return this.#paging
  }

  async #loadPositions(): Promise<void> {
    const answer = await call(...requests.readPositions(this.roomId)).catch(() => undefined)
    if (!answer) return
    this.#timeline.loadPositions(answer.items)
    this.#hearRead(answer.items)
    this.#publish(this.view.get())
  }

  #restart(
    messages: readonly Message[],
    positions: { user_id: number; seq: number }[],
    lastSeq: number,
  ): void {
    this.#timeline = new Timeline(this.roomId)
    this.#timeline.load(messages)
    this.#timeline.loadPositions(positions)
    this.#headSeq = Math.max(this.#headSeq, lastSeq)
  }

  #unreadFrom(): number | undefined {
    return this.#ownSeq < this.#headSeq ? this.#ownSeq + 1 : undefined
  }

  /** Keeps the identity of unchanged messages, so that only changed rows are rendered again. */
  #publish(view: RoomView): void {
    const before = this.#shown
    const messages = this.#timeline.messages.map((message) => {
      const old = before.get(message.seq)
      return old && isSame(old, message) ? old : message
    })
    this.#shown = new Map(messages.map((message) => [message.seq, message]))
    const last = messages.at(-1)?.seq ?? 0
    this.view.set({ ...view, messages, hasNewer: last > 0 && last < this.#headSeq })
  }
}

function isSame(a: Message, b: Message): boolean {
  return (
    a.cseq === b.cseq &&
    a.unread_count === b.unread_count &&
    a.is_deleted === b.is_deleted &&
    a.reply_preview?.content === b.reply_preview?.content &&
    a.reply_preview?.is_deleted === b.reply_preview?.is_deleted &&
    a.reactions.length === b.reactions.length &&
    a.reactions.every(({ count, me }, at) => count === b.reactions[at]?.count && me === b.reactions[at]?.me)
  )
}
