import type { ChangeKind } from './changes/change.ts'
import type { MessageRecord } from './message.ts'

/** A change with the message as it is with it. */
export interface AppliedChange {
  readonly cseq: number
  /** When, Unix milliseconds. */
  readonly at: number
  readonly kind: ChangeKind
  readonly message: MessageRecord
}

/** What just happened in a room, for the streams of this process and of the others. */
export interface RoomUpdate {
  readonly roomId: number
  /** In order of seq. */
  readonly messages?: readonly MessageRecord[]
  /** In order of cseq. */
  readonly changes?: readonly AppliedChange[]
  readonly reads?: readonly { readonly userId: number; readonly seq: number }[]
  /** Somebody deleted a message for themselves alone. */
  readonly hidden?: { readonly userId: number; readonly messageId: string }
}

type Listener = (update: RoomUpdate) => void

/** Where the messages module says what happened; listeners return at once and never throw. */
export class RoomUpdates {
  readonly #listeners: Listener[] = []

  onUpdate(listener: Listener): void {
    this.#listeners.push(listener)
  }

  emit(update: RoomUpdate): void {
    for (const listener of this.#listeners) listener(update)
  }
}
