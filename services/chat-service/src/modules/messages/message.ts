import type { Attachment, Message, MessageFile } from '@bigtech/contracts'

export { excerpt } from '@bigtech/contracts'

/** Times in this module are Unix milliseconds, because records also travel as JSON between processes. */
export type UnixMs = number

export interface SystemNote {
  readonly kind: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** The immutable part of a message. */
interface MessageOrigin {
  readonly messageId: string
  readonly roomId: number
  readonly seq: number
  readonly userId: number
  readonly username: string
  readonly messageType: Message['message_type']
  readonly createdAt: UnixMs
  readonly clientMessageId: string | null
  readonly replyTo: string | null
  readonly isForwarded: boolean
  readonly system: SystemNote | null
  /** `traceparent` of the sending request, when traced: the frame joins that trace. */
  readonly trace?: string
}

export interface ReactionOf {
  readonly emoji: string
  readonly userIds: readonly number[]
}

/** A previous text of a message, valid until the next edit. */
export interface Version {
  readonly messageId: string
  readonly rev: number
  readonly content: string
  readonly writtenAt: UnixMs
}

export function versionOf({ messageId, rev, content, editedAt, createdAt }: MessageRecord): Version {
  return { messageId, rev, content, writtenAt: editedAt ?? createdAt }
}

/** The mutable part of a message; `cseq` is its last included change. */
export interface MessageState {
  readonly cseq: number
  readonly rev: number
  readonly content: string
  readonly mentions: readonly number[]
  /** Of a message older than the files API. */
  readonly attachment: Attachment | null
  readonly file: MessageFile | null
  readonly editedAt: UnixMs | null
  readonly isDeleted: boolean
  readonly reactions: readonly ReactionOf[]
  readonly pinnedAt: UnixMs | null
}

export type MessageRecord = MessageOrigin & MessageState

const SEQ_DIGITS = 12

/**
 * Returns `7:000000000042`: unique, so that two processes cannot claim one position, and ordered by history,
 * so that a page is one range of one index.
 */
export function positionId(roomId: number, position: number): string {
  return `${roomId}:${String(position).padStart(SEQ_DIGITS, '0')}`
}

export function positionOf(id: string): number {
  return Number(id.slice(id.indexOf(':') + 1))
}

export function roomOf(id: string): number {
  return Number(id.slice(0, id.indexOf(':')))
}
