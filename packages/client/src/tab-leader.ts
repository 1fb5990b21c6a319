import { readFrame, type StreamFrame } from './frames.ts'
import type { TransportEvents } from './transport.ts'

/** Messages between the leader and other tabs. `to` addresses one tab. */
export type Word =
  | { readonly say: 'hello'; readonly tab: string; readonly id: string | undefined }
  | { readonly say: 'wait'; readonly to: string }
  | {
      readonly say: 'frame'
      readonly name: string
      readonly data: string
      readonly id?: string
      readonly to?: string
    }
  | { readonly say: 'down' }

interface Sent {
  readonly name: string
  readonly data: string
  readonly id?: string
}

/** Frames that a tab may have missed during a change of leader. */
const MAX_RECENT = 500
/** Tabs waiting until the leader is connected, with their positions. */
export type Waiting = Map<string, string | undefined>

/** The connected tab: forwards frames, and tells others where they can join. */
export class Leader {
  readonly #say: (word: Word) => void
  readonly #waiting: Waiting
  readonly #heads = new Map<number, { seq: number; cseq: number }>()
  #recent: Sent[] = []
  #firstId: string | undefined
  #lastId: string | undefined
  #streamId: string | undefined

  constructor(say: (word: Word) => void, waiting: Waiting, lastEventId: string | undefined) {
    this.#say = say
    this.#waiting = waiting
    this.#firstId = lastEventId
  }

  /** Returns events that are also forwarded to the other tabs. */
  passOn(events: TransportEvents): TransportEvents {
    let pending: Omit<Sent, 'id'> | undefined
    // An id follows the frame that includes it; the two are sent together, so the frame waits for its id.
    const send = (id?: string) => {
      if (!pending) return
      const sent = id === undefined ? pending : { ...pending, id }
      pending = undefined
      // Each tab receives the first frame of the connection as its own.
      if (!this.#note(sent)) this.#say({ say: 'frame', ...sent })
    }
    return {
      onFrame: (name, data) => {
        send()
        pending = { name, data }
        queueMicrotask(() => send())
        events.onFrame(name, data)
      },
      onId: (id) => {
        send(id)
        events.onId(id)
      },
    }
  }

  /** Sends the frames missed by a tab at that position, or tells it to reset and continue from here. */
  welcome(to: string, id: string | undefined): void {
    if (this.#streamId === undefined) {
      this.#waiting.set(to, id)
      this.#say({ say: 'wait', to })
      return
    }
    const send = (sent: Sent) => this.#say({ say: 'frame', to, ...sent })
    const rooms = [...this.#heads].map(([room_id, head]) => ({ room_id, ...head }))
    const missed = this.#after(id)
    const last = this.#lastId === undefined ? {} : { id: this.#lastId }
    if (missed) {
      send({ name: 'ready', data: JSON.stringify({ stream_id: this.#streamId, rooms }) })
      for (const sent of missed) send(sent)
    } else {
      const reason = id === undefined ? 'new' : 'too_old'
      send({ name: 'reset', data: JSON.stringify({ stream_id: this.#streamId, reason, rooms }), ...last })
    }
  }

  #after(id: string | undefined): readonly Sent[] | undefined {
    if (id === undefined) return undefined
    if (id === this.#firstId) return this.#recent
    const index = this.#recent.findLastIndex((sent) => sent.id === id)
    return index === -1 ? undefined : this.#recent.slice(index + 1)
  }

  /** Returns whether it was the first frame of the connection. */
  #note(sent: Sent): boolean {
    if (sent.id !== undefined) this.#lastId = sent.id
    const frame = readFrame(sent.name, sent.data)
    if (frame?.event === 'ready' || frame?.event === 'reset') {
      this.#streamId = frame.data.stream_id
      if (frame.event === 'reset') this.#heads.clear()
      for (const { room_id, seq, cseq } of frame.data.rooms) this.#heads.set(room_id, { seq, cseq })
      // A waiting tab gets its own first frame with its position.
      if (frame.event === 'reset') this.#firstId = undefined
      for (const [tab, id] of this.#waiting) this.welcome(tab, id)
      this.#waiting.clear()
      return true
    }
    if (frame) this.#move(frame)
    this.#recent.push(sent)
    if (this.#recent.length > MAX_RECENT) {
      this.#recent = this.#recent.slice(MAX_RECENT / 2)
      this.#firstId = undefined
    }
    return false
  }

  #move(frame: StreamFrame): void {
    if (frame.event === 'room_removed') this.#heads.delete(frame.data.room_id)
    if (frame.event === 'room_added')
      this.#heads.set(frame.data.room_id, { seq: frame.data.seq, cseq: frame.data.cseq })
    if (frame.event !== 'message' && frame.event !== 'message_updated') return
    const head = this.#heads.get(frame.data.room_id) ?? { seq: 0, cseq: 0 }
    this.#heads.set(frame.data.room_id, head)
    if (frame.event === 'message') head.seq = Math.max(head.seq, frame.data.seq)
    else head.cseq = Math.max(head.cseq, frame.data.cseq)
  }
}
