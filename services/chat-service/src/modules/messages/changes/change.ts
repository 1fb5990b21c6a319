import { maxReactionKinds } from '@bigtech/contracts'
import { Problem } from '@bigtech/service-kit'
import {
  type MessageRecord,
  type MessageState,
  type ReactionOf,
  type UnixMs,
  type Version,
  versionOf,
} from '../message.ts'

/** A change of a message after it was sent. */
export type ChangeBody =
  | {
      readonly kind: 'edited'
      readonly content: string
      /** Undefined leaves the mentions unchanged. */
      readonly mentions?: readonly number[] | undefined
    }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'reaction_added' | 'reaction_removed'; readonly emoji: string }
  | { readonly kind: 'pinned' | 'unpinned' }

export type ChangeKind = ChangeBody['kind']

/** A change in the log of its room: `cseq` is 1, 2, 3, ... without gaps, over all its messages. */
export interface Change {
  readonly roomId: number
  readonly cseq: number
  readonly messageId: string
  readonly userId: number
  readonly at: UnixMs
  readonly body: ChangeBody
}

/** A user's request to change a message. */
export interface Intent {
  readonly messageId: string
  readonly userId: number
  /** An admin of a group may delete messages of others. */
  readonly mayModerate: boolean
  readonly body: ChangeBody
}

const EDIT_WINDOW_MS = 24 * 60 * 60 * 1_000
export const MAX_PINS = 50

/**
 * Decides whether a request changes this message: false when the change is already in place.
 *
 * @throws Problem when it is not allowed
 */
export function decide(
  message: MessageRecord,
  intent: Intent,
  now: UnixMs,
  pinsInRoom: () => number,
): boolean {
  const { body } = intent
  if (body.kind === 'deleted') return decideDelete(message, intent)
  if (message.isDeleted) throw new Problem('MESSAGE_NOT_FOUND', { detail: 'It has been deleted.' })
  switch (body.kind) {
    case 'edited':
      return decideEdit(message, intent, body, now)
    case 'reaction_added':
      if (reactors(message, body.emoji).includes(intent.userId)) return false
      if (reactors(message, body.emoji).length === 0 && message.reactions.length >= maxReactionKinds)
        throw new Problem('REACTION_LIMIT')
      return true
    case 'reaction_removed':
      return reactors(message, body.emoji).includes(intent.userId)
    case 'pinned':
      if (message.pinnedAt !== null) return false
      if (pinsInRoom() >= MAX_PINS) throw new Problem('PIN_LIMIT')
      return true
    case 'unpinned':
      return message.pinnedAt !== null
  }
}

function decideDelete(message: MessageRecord, intent: Intent): boolean {
  if (message.messageType === 'system') throw new Problem('FORBIDDEN')
  if (message.userId !== intent.userId && !intent.mayModerate) throw new Problem('FORBIDDEN')
  return !message.isDeleted
}

function decideEdit(
  message: MessageRecord,
  intent: Intent,
  { content, mentions = message.mentions }: ChangeBody & { kind: 'edited' },
  now: UnixMs,
): boolean {
  if (message.userId !== intent.userId || message.messageType === 'system') throw new Problem('FORBIDDEN')
  if (now - message.createdAt > EDIT_WINDOW_MS) throw new Problem('EDIT_WINDOW_OVER')
  return message.content !== content || mentions.join() !== message.mentions.join()
}

function reactors(message: MessageState, emoji: string): readonly number[] {
  return message.reactions.find((each) => each.emoji === emoji)?.userIds ?? []
}

/** Returns the message after a change. Idempotent: a change already included has no effect. */
export function fold(message: MessageRecord, change: Change): MessageRecord {
  if (change.cseq <= message.cseq) return message
  return { ...message, ...applied(message, change), cseq: change.cseq }
}

/** Returns the version replaced by a change, if it is to be kept. */
export function replacedBy(change: Change, message: MessageRecord): Version | undefined {
  const isEdit = change.body.kind === 'edited' && change.cseq > message.cseq && !message.isDeleted
  return isEdit ? versionOf(message) : undefined
}

function applied(message: MessageRecord, { body, at, userId }: Change): Partial<MessageState> {
  if (message.isDeleted) return {}
  switch (body.kind) {
    case 'edited':
      return {
        content: body.content,
        mentions: body.mentions ?? message.mentions,
        rev: message.rev + 1,
        editedAt: at,
      }
    case 'deleted':
      return {
        isDeleted: true,
        content: '',
        mentions: [],
        attachment: null,
        file: null,
        reactions: [],
        pinnedAt: null,
      }
    case 'reaction_added':
      return { reactions: withReaction(message.reactions, body.emoji, userId) }
    case 'reaction_removed':
      return { reactions: withoutReaction(message.reactions, body.emoji, userId) }
    case 'pinned':
      return { pinnedAt: at }
    case 'unpinned':
      return { pinnedAt: null }
  }
}

function withReaction(
  reactions: readonly ReactionOf[],
  emoji: string,
  userId: number,
): readonly ReactionOf[] {
  const known = reactions.find((each) => each.emoji === emoji)
  if (!known) return [...reactions, { emoji, userIds: [userId] }]
  if (known.userIds.includes(userId)) return reactions
  return reactions.map((each) => (each === known ? { emoji, userIds: [...each.userIds, userId] } : each))
}

function withoutReaction(
  reactions: readonly ReactionOf[],
  emoji: string,
  userId: number,
): readonly ReactionOf[] {
  return reactions
    .map((each) =>
      each.emoji === emoji ? { emoji, userIds: each.userIds.filter((id) => id !== userId) } : each,
    )
    .filter(({ userIds }) => userIds.length > 0)
}
