import type { Service } from '@bigtech/service-kit'
import type { RoomUpdate } from '../messages/room-updates.ts'

export interface Activity {
  readonly roomId: number
  readonly seq: number
  readonly at: Date
}

/** Where the newest seq and time of rooms are kept for the list. */
export interface ActivityStore {
  /** Never moves a room back. */
  saveActivity(activities: readonly Activity[]): Promise<void>
}

const WRITE_EVERY_MS = 1_000
const BATCH = 200
/** Beyond it the oldest are let go: the room list finds out by itself. */
const MAX_PENDING = 100_000

/**
 * Carries what the messages' side tells of rooms to MySQL, in batches, so that a busy room costs one
 * write a second and not one a message. What is lost on the way (a crash, MySQL down for long) the room
 * list sees by looking for the seq that follows, and tells anew.
 */
export class RoomActivityWriter {
  readonly #store: ActivityStore
  readonly #log: Service['log']
  readonly #pending = new Map<number, Activity>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  constructor(store: ActivityStore, log: Service['log']) {
    this.#store = store
    this.#log = log
  }

  /** Notes the newest message of an update. */
  follow({ roomId, messages }: Pick<RoomUpdate, 'roomId' | 'messages'>): void {
    const last = messages?.at(-1)
    if (last) this.touch(roomId, last.seq, new Date(last.createdAt))
  }

  /** Writes a room at most once a second, and never fails. */
  touch(roomId: number, seq: number, at: Date): void {
    const known = this.#pending.get(roomId)
    if (known && known.seq >= seq) return
    if (!known && this.#pending.size >= MAX_PENDING) {
      const [oldest] = this.#pending.keys()
      this.#pending.delete(oldest!)
    }
    this.#pending.set(roomId, { roomId, seq, at })
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_EVERY_MS)
  }

  /** Writes what is pending. Never rejects: what could not be written stays for the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    // One at a time: two batches with the same rooms would only wait for each other.
    await this.#writing
    this.#writing = this.#write()
    await this.#writing
  }

  async #write(): Promise<void> {
    // What comes meanwhile waits for its own second: a busy room would otherwise be written without pause.
    const due = [...this.#pending.values()].sort((a, b) => a.roomId - b.roomId)
    for (let start = 0; start < due.length; start += BATCH) {
      const batch = due.slice(start, start + BATCH)
      try {
        await this.#store.saveActivity(batch)
      } catch (err) {
        this.#log.warn({ err, rooms: this.#pending.size }, 'activity of rooms could not be written')
        this.#timer ??= setTimeout(() => void this.flush(), WRITE_EVERY_MS)
        return
      }
      for (const activity of batch) {
        if (this.#pending.get(activity.roomId) === activity) this.#pending.delete(activity.roomId)
      }
    }
  }

  async stop(): Promise<void> {
    await this.flush()
    clearTimeout(this.#timer)
  }
}
