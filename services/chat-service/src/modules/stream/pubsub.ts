import type { RoomUpdate } from '../messages/room-updates.ts'

/** Publish/subscribe between processes, best effort: gap detection and the sweep recover lost messages. */
export interface PubSub {
  hint(channel: `chat:${string}`, payload: string): void
  onHint(channel: `chat:${string}`, listener: (payload: string) => void): void
  offHint(channel: `chat:${string}`, listener: (payload: string) => void): void
}

/** A member is typing; never stored. */
interface Typing {
  readonly roomId: number
  readonly typing: number
}

export type RoomHint = RoomUpdate | Typing

/** The response to a sender is written first, and the next request read: both would wait for a write to Redis. */
const AFTER_RESPONSES_MS = 1
/** Under load the hints of this time share one write to Redis, which costs as much CPU as the response to a sender. */
const PACE_MS = 10

const channelOf = (roomId: number) => `chat:room:${roomId}` as const

/** Publishes updates of a room to the other processes; only processes with a connected member subscribe. */
export class RoomPubSub {
  readonly #bus: PubSub
  /** The beginning of every payload of this process. */
  readonly #ownPrefix: string
  readonly #processId: string
  readonly #listeners = new Map<number, (payload: string) => void>()
  #unsent: RoomHint[] = []
  #sentAt = Number.NEGATIVE_INFINITY

  constructor(bus: PubSub, processId: string) {
    this.#bus = bus
    this.#processId = processId
    this.#ownPrefix = `{"from":${JSON.stringify(processId)},`
  }

  publish(hint: RoomHint): void {
    if (this.#unsent.push(hint) > 1) return
    const restMs = this.#sentAt + PACE_MS - performance.now()
    setTimeout(() => this.#send(), Math.max(AFTER_RESPONSES_MS, restMs))
  }

  #send(): void {
    const hints = this.#unsent
    this.#unsent = []
    this.#sentAt = performance.now()
    for (const hint of mergeMessages(hints))
      this.#bus.hint(channelOf(hint.roomId), JSON.stringify({ from: this.#processId, hint }))
  }

  subscribe(roomId: number, onHint: (hint: RoomHint) => void): void {
    const listener = (payload: string) => {
      const hint = this.#read(payload)
      if (hint?.roomId === roomId) onHint(hint)
    }
    this.#listeners.set(roomId, listener)
    this.#bus.onHint(channelOf(roomId), listener)
  }

  unsubscribe(roomId: number): void {
    const listener = this.#listeners.get(roomId)
    this.#listeners.delete(roomId)
    if (listener) this.#bus.offHint(channelOf(roomId), listener)
  }

  #read(payload: string): RoomHint | undefined {
    // Redis returns the hints of this process, too: most of all with one process.
    if (payload.startsWith(this.#ownPrefix)) return undefined
    try {
      return (JSON.parse(payload) as { hint: RoomHint }).hint
    } catch {
      return undefined
    }
  }
}

/** Merges consecutive messages of each room into one hint. Keeps the order within a room. */
function mergeMessages(hints: readonly RoomHint[]): RoomHint[] {
  const merged: RoomHint[] = []
  const indexes = new Map<number, number>()
  for (const hint of hints) {
    const index = indexes.get(hint.roomId)
    const last = index === undefined ? undefined : merged[index]
    const messages = last && messagesOf(last)
    const more = messagesOf(hint)
    if (messages && more) merged[index!] = { roomId: hint.roomId, messages: [...messages, ...more] }
    else indexes.set(hint.roomId, merged.push(hint) - 1)
  }
  return merged
}

/** Returns the messages of a hint with nothing else. */
function messagesOf(hint: RoomHint): RoomUpdate['messages'] {
  return 'messages' in hint && Object.keys(hint).length === 2 ? hint.messages : undefined
}
