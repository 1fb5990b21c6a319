import type { Attachment, Message } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { Membership, MembershipReader } from '../rooms/membership.ts'
import type { Appended, MessageAppender } from './append.ts'
import { type ChangeBody, MAX_PINS } from './change.ts'
import type { ChangeWriter } from './change-writer.ts'
import { draftOf, type NewMessage } from './drafts.ts'
import type { MessageRepository } from './message.repository.ts'
import { type MessageRecord, roomOf } from './message.ts'
import type { MessageViews } from './message.view.ts'
import type { MessageLimits } from './message-limits.ts'
import type { RoomUpdates } from './room-updates.ts'

export interface SendInput {
  readonly content: string
  readonly message_type: 'text' | 'image' | 'file'
  readonly client_message_id?: string | undefined
  readonly reply_to?: string | undefined
  readonly mentions?: readonly number[] | undefined
  readonly attachment?: Attachment | undefined
}

export interface MessageServiceOptions {
  readonly repository: MessageRepository
  readonly appender: MessageAppender
  readonly writer: ChangeWriter
  readonly views: MessageViews
  readonly members: MembershipReader
  readonly limits: MessageLimits
  readonly updates: RoomUpdates
}

/** What people do with messages. Who may do it is asked of the rooms; what then holds is decided here. */
export class MessageService {
  readonly #options: MessageServiceOptions

  constructor(options: MessageServiceOptions) {
    this.#options = options
  }

  async send(ctx: AuthenticatedContext, roomId: number, input: SendInput): Promise<Message> {
    const membership = await this.#mayWrite(ctx, roomId)
    await this.#options.limits.send(ctx.actor.userId, roomId)
    if (input.reply_to !== undefined) {
      const answered = await this.#visible(membership, input.reply_to)
      if (answered.isDeleted)
        throw new Problem('MESSAGE_NOT_FOUND', { detail: 'What you answer has been deleted.' })
    }
    await this.#requireMembers(roomId, input.mentions)
    const appended = await this.#append(ctx, {
      roomId,
      userId: ctx.actor.userId,
      username: ctx.actor.username,
      content: input.content,
      messageType: input.message_type,
      clientMessageId: input.client_message_id,
      replyTo: input.reply_to,
      mentions: input.mentions && [...new Set(input.mentions)],
      attachment: input.attachment,
    })
    if (appended.repeated) return this.#view(ctx, appended.message)
    // Just stored: nobody has read, hidden or changed it, so nothing more has to be asked for.
    const [view] = await this.#options.views.shared([appended.message])
    return view!
  }

  async forward(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    input: { readonly room_ids: readonly number[]; readonly client_message_id?: string | undefined },
  ): Promise<Message[]> {
    const membership = await this.#options.members.require(roomId, ctx.actor.userId)
    const original = await this.#visible(membership, messageId)
    const { userId } = ctx.actor
    const hidden = await this.#options.repository.hiddenBy(userId, [messageId])
    if (original.isDeleted || original.messageType === 'system' || hidden.has(messageId))
      throw new Problem('MESSAGE_NOT_FOUND')
    const targets = [...new Set(input.room_ids)]
    // All or none as far as it can be known before: half a forward would surprise.
    for (const target of targets) await this.#mayWrite(ctx, target)
    const sent: MessageRecord[] = []
    for (const target of targets) {
      await this.#options.limits.send(userId, target)
      const { message } = await this.#append(ctx, {
        roomId: target,
        userId,
        username: ctx.actor.username,
        content: original.content,
        messageType: original.messageType,
        clientMessageId: input.client_message_id,
        attachment: original.attachment ?? undefined,
        isForwarded: true,
      })
      sent.push(message)
    }
    return this.#options.views.forViewer(sent, userId)
  }

  async edit(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    input: { readonly content: string; readonly mentions?: readonly number[] | undefined },
  ): Promise<Message> {
    await this.#mayWrite(ctx, roomId)
    await this.#requireMembers(roomId, input.mentions)
    const mentions = [...new Set(input.mentions ?? [])]
    return this.#change(ctx, roomId, messageId, { kind: 'edited', content: input.content, mentions })
  }

  async delete(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    scope: 'all' | 'me',
  ): Promise<Message> {
    if (scope === 'all') return this.#change(ctx, roomId, messageId, { kind: 'deleted' })
    const membership = await this.#options.members.require(roomId, ctx.actor.userId)
    await this.#options.limits.change(ctx.actor.userId, roomId)
    const message = await this.#visible(membership, messageId)
    const { userId } = ctx.actor
    await this.#options.repository.hide(userId, messageId)
    this.#options.updates.emit({ roomId, hidden: { userId, messageId } })
    return this.#view(ctx, message)
  }

  async react(ctx: AuthenticatedContext, roomId: number, messageId: string, emoji: string): Promise<Message> {
    await this.#mayWrite(ctx, roomId)
    return this.#change(ctx, roomId, messageId, { kind: 'reaction_added', emoji })
  }

  async unreact(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    emoji: string,
  ): Promise<Message> {
    return this.#change(ctx, roomId, messageId, { kind: 'reaction_removed', emoji })
  }

  async pin(ctx: AuthenticatedContext, roomId: number, messageId: string): Promise<Message> {
    await this.#mayWrite(ctx, roomId)
    return this.#change(ctx, roomId, messageId, { kind: 'pinned' })
  }

  async unpin(ctx: AuthenticatedContext, roomId: number, messageId: string): Promise<Message> {
    return this.#change(ctx, roomId, messageId, { kind: 'unpinned' })
  }

  async pins(ctx: AuthenticatedContext, roomId: number): Promise<Message[]> {
    const { visibleFromSeq } = await this.#options.members.require(roomId, ctx.actor.userId)
    const pinned = await this.#options.repository.pinned(roomId, MAX_PINS)
    const items = await this.#options.views.forViewer(
      pinned.filter(({ seq }) => seq >= visibleFromSeq),
      ctx.actor.userId,
    )
    return items.filter(({ is_deleted }) => !is_deleted)
  }

  async get(ctx: AuthenticatedContext, roomId: number, messageId: string): Promise<Message> {
    const membership = await this.#options.members.require(roomId, ctx.actor.userId)
    return this.#view(ctx, await this.#visible(membership, messageId))
  }

  async versions(ctx: AuthenticatedContext, roomId: number, messageId: string) {
    const membership = await this.#options.members.require(roomId, ctx.actor.userId)
    const message = await this.#visible(membership, messageId)
    const hidden = await this.#options.repository.hiddenBy(ctx.actor.userId, [messageId])
    if (message.isDeleted || hidden.has(messageId)) return []
    const present = {
      rev: message.rev,
      content: message.content,
      writtenAt: message.editedAt ?? message.createdAt,
    }
    return [...message.versions, present].map(({ rev, content, writtenAt }) => ({
      rev,
      content,
      written_at: new Date(writtenAt).toISOString(),
    }))
  }

  async #change(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    body: ChangeBody,
  ): Promise<Message> {
    const { userId } = ctx.actor
    const membership = await this.#options.members.require(roomId, userId)
    await this.#options.limits.change(userId, roomId)
    await this.#visible(membership, messageId)
    const mayModerate = membership.roomType === 'group' && membership.role !== 'member'
    const message = await this.#options.writer.apply(
      roomId,
      { messageId, userId, mayModerate, body },
      ctx.requestId,
    )
    return this.#view(ctx, message)
  }

  async #append(ctx: AuthenticatedContext, message: NewMessage): Promise<Appended> {
    await this.#options.repository.ensureIndexes()
    return this.#options.appender.append(draftOf(message, ctx.requestId))
  }

  async #mayWrite(ctx: AuthenticatedContext, roomId: number): Promise<Membership> {
    const membership = await this.#options.members.require(roomId, ctx.actor.userId)
    await this.#options.members.assertMaySend(membership)
    return membership
  }

  /** The message, if it is of this room and not from before the member could see it. */
  async #visible(membership: Membership, messageId: string): Promise<MessageRecord> {
    const { roomId, visibleFromSeq } = membership
    const message =
      roomOf(messageId) === roomId
        ? (await this.#options.repository.byIds([messageId])).get(messageId)
        : undefined
    if (!message || message.seq < visibleFromSeq) throw new Problem('MESSAGE_NOT_FOUND')
    return message
  }

  async #requireMembers(roomId: number, userIds: readonly number[] | undefined): Promise<void> {
    if (!userIds?.length) return
    const members = new Set(await this.#options.members.memberIds(roomId))
    const errors = userIds.flatMap((userId, index) =>
      members.has(userId) ? [] : [{ field: `mentions.${index}`, message: 'Not a member of this room.' }],
    )
    if (errors.length > 0) throw new Problem('VALIDATION_FAILED', { errors })
  }

  async #view(ctx: AuthenticatedContext, message: MessageRecord): Promise<Message> {
    const [view] = await this.#options.views.forViewer([message], ctx.actor.userId)
    return view!
  }
}
