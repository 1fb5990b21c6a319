import { type Message, type StreamFrame, Timeline } from '@bigtech/client'
import { call } from './api.ts'
import { HISTORY_PAGE, requests } from './first-screen.ts'
import { isRefusal, pauseBeforeRetry } from './retry.ts'
import { emptyView, isShownAlike, type RoomView } from './room-view.ts'
import { Store } from './store.ts'

interface LoadOptions {
  readonly around?: number
  /** Scrolls to the message at `around`, or to the newest. */
  readonly jump?: 'highlight' | 'show'
  /** Sets the marker of unread messages. */
  readonly isOpening?: boolean
}

/**
 * The loaded part of a room's history: a contiguous run of messages, extended at either end by paging, kept
 * current by frames.
 */
export class RoomWindow {
  readonly roomId: number
  readonly view = new Store<RoomView>(emptyView)
  readonly #ownId: number
  #timeline: Timeline
  #shown = new Map<number, Message>()
  #headSeq = 0
  #ownSeq = 0
  /** The message in the middle of the screen. */
  #placeSeq: number | undefined
  /** Generations of the pages being fetched. */
  readonly #paging = new Map<'older' | 'newer', number>()
  #isLoading = false
  /** Options of the latest load. */
  #latest: LoadOptions = {}
  /** Changes received during a load, because its response may be older and replaces the timeline. */
  #heldBack: (() => void)[] = []
  #jumps = 0
  /** Invalidates responses for a replaced window. */
  #generation = 0
  /** Whether the stream has skipped messages that no load has returned yet. */
  #isBehind = false
  /** Failed loads in a row. */
  #failures = 0

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
   * current content stays visible until the response arrives. Retries with backoff while content is missing.
   *
   * @throws ApiProblem or NetworkFailure when a jump fails
   */
  async load(options: LoadOptions = {}): Promise<void> {
    const generation = ++this.#generation
    this.#isLoading = true
    this.#latest = options
    const failure = await this.#fetch(options, generation).catch((err: unknown) => err)
    if (generation !== this.#generation) return
    this.#isLoading = false
    if (failure) this.#afterFailure(failure, options)
    else this.#failures = 0
    for (const change of this.#heldBack.splice(0)) change()
    if (failure && options.jump && this.view.get().status === 'ready') throw failure
  }

  /** Loads the same place again; a jump or an opening that has not succeeded is repeated. */
  reload(): void {
    const isSettled = this.view.get().status === 'ready' && !this.#isLoading
    // Not rejected for the user: the failure of a superseded jump is retried.
    this.load(isSettled ? this.#samePlace() : this.#latest).catch(() => undefined)
  }

  async #fetch(options: LoadOptions, generation: number): Promise<void> {
    const [newest, positions] = await Promise.all([
      this.#fetchPage(options.around),
      call(...requests.readPositions(this.roomId)),
    ])
    this.#hearRead(positions.items)
    const unread = this.#ownSeq + 1
    const isUnreadBefore = options.isOpening && !options.around && unread < (newest.items[0]?.seq ?? 1)
    const page = isUnreadBefore ? await this.#fetchPage(unread) : newest
    if (generation !== this.#generation) return
    this.#placeSeq = isUnreadBefore ? unread : options.around
    this.#isBehind = false
    this.#restart(page.items, positions.items, page.last_seq)
    this.#publish(this.#loadedView(options, page.items))
  }

  #afterFailure(failure: unknown, options: LoadOptions): void {
    const view = this.view.get()
    const isReady = view.status === 'ready'
    if (isReady && !this.#isBehind) return
    const mayRetry = !isRefusal(failure)
    if (isReady && mayRetry) this.view.set({ ...view, isStale: true })
    else this.view.set({ ...emptyView, status: 'failed', failure })
    if (mayRetry) void this.#retry(isReady ? this.#samePlace() : options, failure)
  }

  async #retry(options: LoadOptions, failure: unknown): Promise<void> {
    const generation = this.#generation
    await pauseBeforeRetry(failure, this.#failures++)
    if (generation === this.#generation) await this.load(options)
  }

  /** Stops retrying; responses in flight are dropped. */
  close(): void {
    this.#generation++
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
    const { unreadFrom: before, failure: _, isStale: __, ...view } = this.view.get()
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
    return this.#page('older')
  }

  loadNewer(): Promise<void> {
    return this.#page('newer')
  }

  /** Applies the response to a send, an edit or a reaction, which may precede the stream's frame. */
  take(message: Message): void {
    if (this.#isLoading) {
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
      this.#isBehind = true
      this.reload()
      return
    }
    if (frame.event === 'ready') {
      if (!this.#isLoading && (this.#isBehind || this.view.get().status === 'failed')) this.reload()
      else void this.#loadPositions()
    }
    if (!('room_id' in frame.data) || frame.data.room_id !== this.roomId) return
    if (this.#isLoading) {
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

  /** Extends the window at one end; retries with backoff, because a user at that end cannot scroll on. */
  async #page(direction: 'older' | 'newer'): Promise<void> {
    const generation = this.#generation
    if (this.#paging.get(direction) === generation) return
    this.#paging.set(direction, generation)
    for (let failures = 0; generation === this.#generation; failures++) {
      try {
        await this.#loadPage(direction, generation)
        break
      } catch (failure) {
        if (isRefusal(failure)) break
        await pauseBeforeRetry(failure, failures)
      }
    }
    if (this.#paging.get(direction) === generation) this.#paging.delete(direction)
  }

  async #loadPage(direction: 'older' | 'newer', generation: number): Promise<void> {
    const { messages, hasOlder, hasNewer } = this.view.get()
    const [first, last] = [messages[0], messages.at(-1)]
    const isOlder = direction === 'older'
    if (!first || !last || !(isOlder ? hasOlder : hasNewer)) return
    const position = isOlder ? { before_seq: first.seq } : { after_seq: last.seq }
    const page = await call(...requests.messages(this.roomId, position))
    if (generation !== this.#generation) return
    this.#timeline.load(page.items)
    this.#headSeq = Math.max(this.#headSeq, page.last_seq)
    const view = this.view.get()
    this.#publish(isOlder ? { ...view, hasOlder: page.items.length === HISTORY_PAGE } : view)
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
      return old && isShownAlike(old, message) ? old : message
    })
    this.#shown = new Map(messages.map((message) => [message.seq, message]))
    const last = messages.at(-1)?.seq ?? 0
    this.view.set({ ...view, messages, hasNewer: last > 0 && last < this.#headSeq })
  }
}
