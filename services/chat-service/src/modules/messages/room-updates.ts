import type { ChangeKind } from './changes/change.ts'
import type { MessageRecord } from './message.ts'

/** A change together with the changed message. */
export interface AppliedChange {
  readonly cseq: number
  /** Time of the change in Unix milliseconds. */
  readonly at: number
  readonly kind: ChangeKind
  readonly message: MessageRecord
}

/** New entries of a room, for the streams of this and other processes. */
export interface RoomUpdate {
  readonly roomId: number
  /** Ordered by seq. */
  readonly messages?: readonly MessageRecord[]
  /** Ordered by cseq. */
  readonly changes?: readonly AppliedChange[]
  readonly reads?: readonly { readonly userId: number; readonly seq: number }[]
  /** A member who restricts the other user of a 1:1 room has read: for that member's streams only. */
  readonly privateRead?: { readonly userId: number; readonly seq: number }
  /** A member deleted a message for themselves. */
  readonly hidden?: { readonly userId: number; readonly messageId: string }
}

type Listener = (update: RoomUpdate) => void

/** Distributes updates of the messages module; listeners return immediately and never throw. */
export class RoomUpdates {
  readonly #listeners: Listener[] = []

  onUpdate(listener: Listener): void {
    this.#listeners.push(listener)
  }

  emit(update: RoomUpdate): void {
    for (const listener of this.#listeners) listener(update)
  }
}
