import type { Message } from '@bigtech/client'

/** What an open room shows of its history. */
export interface RoomView {
  readonly status: 'loading' | 'ready' | 'failed'
  readonly failure?: unknown
  /** Ascending by `seq`, without gaps. */
  readonly messages: readonly Message[]
  readonly hasOlder: boolean
  /** Whether the window ends before the newest message, after a jump into the past. */
  readonly hasNewer: boolean
  /** Whether messages may be missing, because reloading after a gap in the stream has failed so far. */
  readonly isStale?: boolean
  /** First message that was unread when the room was opened. */
  readonly unreadFrom?: number
  /** A message to scroll to once; `id` distinguishes two jumps to the same message. */
  readonly target?: { readonly seq: number; readonly id: number; readonly highlight: boolean }
}

export const emptyView: RoomView = { status: 'loading', messages: [], hasOlder: false, hasNewer: false }

/** Returns whether two copies of a message look the same. */
export function isShownAlike(a: Message, b: Message): boolean {
  return (
    a.cseq === b.cseq &&
    a.unread_count === b.unread_count &&
    a.is_deleted === b.is_deleted &&
    a.reply_preview?.content === b.reply_preview?.content &&
    a.reply_preview?.is_deleted === b.reply_preview?.is_deleted &&
    a.reactions.length === b.reactions.length &&
    a.reactions.every(({ count, me }, at) => count === b.reactions[at]?.count && me === b.reactions[at]?.me)
  )
}
