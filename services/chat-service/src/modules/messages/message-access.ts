import type { Message } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { Membership, MembershipReader } from '../membership/membership.ports.ts'
import type { MessageRepository } from './log/message.repository.ts'
import { type MessageRecord, roomOf } from './message.ts'
import type { MessageViews } from './reading/message.view.ts'

export interface MessageAccessOptions {
  readonly repository: MessageRepository
  readonly views: MessageViews
  readonly members: MembershipReader
}

/** What a member may see and mention in a room. */
export class MessageAccess {
  readonly #options: MessageAccessOptions

  constructor(options: MessageAccessOptions) {
    this.#options = options
  }

  /** Returns the message. @throws Problem MESSAGE_NOT_FOUND when it is in another room or precedes the member's history */
  async visible(membership: Membership, messageId: string): Promise<MessageRecord> {
    const { roomId, visibleFromSeq } = membership
    const message =
      roomOf(messageId) === roomId
        ? (await this.#options.repository.byIds([messageId])).get(messageId)
        : undefined
    if (!message || message.seq < visibleFromSeq) throw new Problem('MESSAGE_NOT_FOUND')
    return message
  }

  /**
   * Requires that all users are members of the room.
   * @param known users exempt from the check, because they were mentioned before
   * @throws Problem VALIDATION_FAILED with one error per user
   */
  async requireMembers(
    roomId: number,
    userIds: readonly number[] | undefined,
    known: readonly number[] = [],
  ): Promise<void> {
    if (!userIds?.some((userId) => !known.includes(userId))) return
    const allowed = new Set([...(await this.#options.members.memberIds(roomId)), ...known])
    const errors = userIds.flatMap((userId, index) =>
      allowed.has(userId) ? [] : [{ field: `mentions.${index}`, message: 'Not a member of this room.' }],
    )
    if (errors.length > 0) throw new Problem('VALIDATION_FAILED', { errors })
  }

  /** Returns a message as the caller sees it. */
  async view(ctx: AuthenticatedContext, message: MessageRecord): Promise<Message> {
    const [view] = await this.#options.views.forViewer([message], ctx.actor.userId)
    return view!
  }
}
