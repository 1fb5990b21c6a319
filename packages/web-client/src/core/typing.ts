import type { StreamFrame } from '@bigtech/client'
import { Store } from './store.ts'

/** Typing indicators by room. An entry ends when it expires or the member sends a message. */
export class Typing {
  readonly byRoom = new Store<ReadonlyMap<number, readonly number[]>>(new Map())
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>()

  apply(frame: StreamFrame): void {
    if (frame.event === 'typing') {
      const { room_id, user_id, expires_in_ms } = frame.data
      this.#clear(room_id, user_id)
      this.#timers.set(
        `${room_id}.${user_id}`,
        setTimeout(() => this.#remove(room_id, user_id), expires_in_ms),
      )
      this.#change(room_id, (ids) => (ids.includes(user_id) ? ids : [...ids, user_id]))
    }
    if (frame.event === 'message') this.#remove(frame.data.room_id, frame.data.message.user_id)
  }

  #remove(roomId: number, userId: number): void {
    if (!this.#clear(roomId, userId)) return
    this.#change(roomId, (ids) => ids.filter((id) => id !== userId))
  }

  #clear(roomId: number, userId: number): boolean {
    const key = `${roomId}.${userId}`
    clearTimeout(this.#timers.get(key))
    return this.#timers.delete(key)
  }

  #change(roomId: number, change: (ids: readonly number[]) => readonly number[]): void {
    this.byRoom.update((rooms) => {
      const ids = rooms.get(roomId) ?? []
      const next = change(ids)
      return next === ids ? rooms : new Map(rooms).set(roomId, next)
    })
  }
}
