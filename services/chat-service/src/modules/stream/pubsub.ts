import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { RoomUpdate } from '../messages/room-updates.ts'

/** Publish/subscribe between processes, best effort: gap detection and the sweep recover lost messages. */
export interface PubSub {
  /** Returns the number of processes that receive the hint; 0 during an outage. */
  hint(channel: `chat:${string}`, payload: string): Promise<number>
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
/** The same for rooms that no other process listens to: their hints only show whether one has begun to. */
const UNHEARD_PACE_MS = 100
const UNHEARD_ROOMS = 10_000

const channelOf = (roomId: number) => `chat:room:${roomId}` as const

/** Publishes updates of a room to the other processes; only processes with a connected member subscribe. */
export class RoomPubSub {
  readonly #bus: PubSub
  /** The beginning of every payload of this process. */
  readonly #ownPrefix: string
  readonly #processId: string
  readonly #listeners = new Map<number, (payload: string) => void>()
  readonly #unheard = new LRUCache<number, true>(upToEntries(UNHEARD_ROOMS))
  readonly #soon = new Gathered(PACE_MS, (hints) => this.#send(hints))
  readonly #later = new Gathered(UNHEARD_PACE_MS, (hints) => this.#send(hints))

  constructor(bus: PubSub, processId: string) {
    this.#bus = bus
    this.#processId = processId
    this.#ownPrefix = `{"from":${JSON.stringify(processId)},`
  }

  publish(hint: RoomHint): void {
    if (this.#unheard.has(hint.roomId)) this.#later.add(hint)
    else this.#soon.add(hint)
  }

  #send(hints: readonly RoomHint[]): void {
    for (const hint of mergeMessages(hints)) void this.#sendOne(hint)
  }

  async #sendOne(hint: RoomHint): Promise<void> {
    const { roomId } = hint
    const payload = JSON.stringify({ from: this.#processId, hint })
    const receivers = await this.#bus.hint(channelOf(roomId), payload)
    const others = receivers - (this.#listeners.has(roomId) ? 1 : 0)
    if (others > 0) this.#unheard.delete(roomId)
    else this.#unheard.set(roomId, true)
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

/** Hints that wait for the next write. */
class Gathered {
  readonly #paceMs: number
  readonly #send: (hints: readonly RoomHint[]) => void
  #hints: RoomHint[] = []
  #sentAt = Number.NEGATIVE_INFINITY

  constructor(paceMs: number, send: (hints: readonly RoomHint[]) => void) {
    this.#paceMs = paceMs
    this.#send = send
  }

  add(hint: RoomHint): void {
    if (this.#hints.push(hint) > 1) return
    const restMs = this.#sentAt + this.#paceMs - performance.now()
    setTimeout(() => this.#flush(), Math.max(AFTER_RESPONSES_MS, restMs))
  }

  #flush(): void {
    const hints = this.#hints
    this.#hints = []
    this.#sentAt = performance.now()
    this.#send(hints)
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
