import type { RoomUpdate } from '../messages/room-updates.ts'

/** Pub/sub between the processes. What it loses is found by gaps and by the sweep. */
export interface HintBus {
  hint(channel: `chat:${string}`, payload: string): void
  onHint(channel: `chat:${string}`, listener: (payload: string) => void): void
  offHint(channel: `chat:${string}`, listener: (payload: string) => void): void
}

/** Somebody writes at the moment; nothing that is kept anywhere. */
interface Typing {
  readonly roomId: number
  readonly typing: number
}

export type RoomHint = RoomUpdate | Typing

const channelOf = (roomId: number) => `chat:room:${roomId}` as const

/** Tells the other processes what happened in a room; only those with a member connected listen. */
export class RoomHints {
  readonly #bus: HintBus
  readonly #processId: string
  readonly #listeners = new Map<number, (payload: string) => void>()

  constructor(bus: HintBus, processId: string) {
    this.#bus = bus
    this.#processId = processId
  }

  publish(hint: RoomHint): void {
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
    try {
      const { from, hint } = JSON.parse(payload) as { from: string; hint: RoomHint }
      return from === this.#processId ? undefined : hint
    } catch {
      return undefined
    }
  }
}
