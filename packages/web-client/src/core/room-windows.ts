import type { StreamFrame } from '@bigtech/client'
import { RoomWindow } from './room-window.ts'

const KEPT_WINDOWS = 12

/** Windows of recently opened rooms, which reopen immediately. */
export class RoomWindows {
  readonly #byRoom = new Map<number, RoomWindow>()
  readonly #ownId: number

  constructor(ownId: number) {
    this.#ownId = ownId
  }

  /** Returns the room's window; a new one starts loading, at `around` if given. */
  open(roomId: number, around?: number): RoomWindow {
    const kept = this.#byRoom.get(roomId)
    this.#byRoom.delete(roomId)
    const window = kept ?? new RoomWindow(roomId, this.#ownId)
    this.#byRoom.set(roomId, window)
    if (kept) kept.reopen()
    else void window.load({ isOpening: true, ...(around ? { around, jump: 'highlight' } : {}) })
    for (const oldest of this.#byRoom.keys()) {
      if (this.#byRoom.size <= KEPT_WINDOWS) break
      this.#drop(oldest)
    }
    return window
  }

  get(roomId: number): RoomWindow | undefined {
    return this.#byRoom.get(roomId)
  }

  apply(frame: StreamFrame): void {
    if (frame.event === 'room_removed') this.#drop(frame.data.room_id)
    // After a reset only the current window is fetched again; the others are when they are opened.
    if (frame.event === 'reset') {
      for (const roomId of [...this.#byRoom.keys()].slice(0, -1)) this.#drop(roomId)
    }
    for (const window of this.#byRoom.values()) window.apply(frame)
  }

  /** Stops what the windows are still loading. */
  close(): void {
    for (const roomId of this.#byRoom.keys()) this.#drop(roomId)
  }

  #drop(roomId: number): void {
    this.#byRoom.get(roomId)?.close()
    this.#byRoom.delete(roomId)
  }
}
