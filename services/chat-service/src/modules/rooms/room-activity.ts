import type { Service } from '@bigtech/service-kit'
import type { RoomUpdate } from '../messages/room-updates.ts'

export interface Activity {
  readonly roomId: number
  readonly seq: number
  readonly at: Date
}

/** Stores the newest seq and time of rooms for the room list. */
export interface ActivityStore {
  /** Never moves a room backward. */
  saveActivity(activities: readonly Activity[]): Promise<void>
}

const WRITE_EVERY_MS = 1_000
const BATCH = 200
/** Above this limit the oldest entries are dropped, because the room list detects them itself. */
const MAX_PENDING = 100_000

/**
 * Writes the activity of rooms to MySQL in batches, so that a busy room costs one write a second instead of
 * one per message. The room list detects lost updates (a crash, a long MySQL outage) by looking for the next
 * seq, and reports them again.
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

  /** Records the newest message of an update. */
  follow({ roomId, messages }: Pick<RoomUpdate, 'roomId' | 'messages'>): void {
    const last = messages?.at(-1)
    if (last) this.touch(roomId, last.seq, new Date(last.createdAt))
  }

  /** Schedules a write, at most once a second per room. Never fails. */
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

  /** Writes pending activity. Never rejects: failed writes stay pending. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    // One batch at a time: two batches with the same rooms would only block each other.
    await this.#writing
    this.#writing = this.#write()
    await this.#writing
  }

  async #write(): Promise<void> {
    // Later updates wait for the next second: a busy room would otherwise be written continuously.
    const due = [...this.#pending.values()].sort((a, b) => a.roomId - b.roomId)
    for (let start = 0; start < due.length; start += BATCH) {
      const batch = due.slice(start, start + BATCH)
      try {
        await this.#store.saveActivity(batch)
      } catch (err) {
        this.#log.warn({ err, rooms: this.#pending.size }, 'writing room activity failed, retrying')
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
