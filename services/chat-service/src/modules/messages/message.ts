import type { Attachment, Message, MessageFile } from '@bigtech/contracts'

export { excerpt } from '@bigtech/contracts'

/** Times inside this module are Unix milliseconds: records also travel as JSON between processes. */
export type UnixMs = number

export interface SystemNote {
  readonly kind: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** A message as it was sent: what no change touches. */
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
  /** `traceparent` of the request that sent it, when it was traced: the frame joins that trace. */
  readonly trace?: string
}

export interface ReactionOf {
  readonly emoji: string
  readonly userIds: readonly number[]
}

/** What a message said, from when it was written until the next edit. */
export interface Version {
  readonly messageId: string
  readonly rev: number
  readonly content: string
  readonly writtenAt: UnixMs
}

export function versionOf({ messageId, rev, content, editedAt, createdAt }: MessageRecord): Version {
  return { messageId, rev, content, writtenAt: editedAt ?? createdAt }
}

/** What changes do to it; `cseq` is the last one that is in here. */
export interface MessageState {
  readonly cseq: number
  readonly rev: number
  readonly content: string
  readonly mentions: readonly number[]
  /** Of a message from before files. */
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
 * `7:000000000042`: unique by itself, so that two processes cannot take one position, and in the
 * order of the history, so that a page is one range of one index.
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
