import type { Message } from '@bigtech/contracts'
import { type AuthenticatedContext, decodeCursor, Problem, toPage } from '@bigtech/service-kit'
import { z } from 'zod'
import type { Membership, MembershipReader } from '../membership/membership.ports.ts'
import { type ChangeBody, MAX_PINS } from './changes/change.ts'
import type { ChangeWriter } from './changes/change-writer.ts'
import type { VersionRepository } from './changes/version.repository.ts'
import type { MessageRepository } from './log/message.repository.ts'
import { type MessageRecord, versionOf } from './message.ts'
import type { MessageAccess } from './message-access.ts'
import type { MessageLimits } from './message-limits.ts'
import type { MessageViews } from './reading/message.view.ts'
import type { RoomUpdates } from './room-updates.ts'

/** The `rev` at which to continue. */
const versionCursor = z.int().min(0)

export interface MessageServiceOptions {
  readonly repository: MessageRepository
  readonly access: MessageAccess
  readonly writer: ChangeWriter
  readonly views: MessageViews
  readonly members: MembershipReader
  readonly limits: MessageLimits
  readonly updates: RoomUpdates
  readonly versions: VersionRepository
}

/** Reading and changing single messages. The rooms module authorizes them; this service applies the rules of messages. */
export class MessageService {
  readonly #options: MessageServiceOptions

  constructor(options: MessageServiceOptions) {
    this.#options = options
  }

  /** Edits a message. Omitted mentions stay, including those of users who have left. */
  async edit(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    input: { readonly content: string; readonly mentions?: readonly number[] | undefined },
  ): Promise<Message> {
    await this.#mayWrite(ctx, roomId)
    const { content } = input
    const mentions = input.mentions && [...new Set(input.mentions)]
    return this.#change(ctx, roomId, messageId, { kind: 'edited', content, mentions }, async (message) => {
      // Only a message with an image or a file may have no text.
      if (content === '' && message.attachment === null && message.file === null)
        throw invalid('content', 'Write something.')
      await this.#options.access.requireMembers(roomId, input.mentions, message.mentions)
    })
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
    const message = await this.#options.access.visible(membership, messageId)
    const { userId } = ctx.actor
    await this.#options.repository.hide(userId, messageId)
    this.#options.updates.emit({ roomId, hidden: { userId, messageId } })
    return this.#options.access.view(ctx, message)
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
    return this.#options.access.view(ctx, await this.#options.access.visible(membership, messageId))
  }

  /** Returns the versions oldest first, the current text last. */
  async versions(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  ) {
    const { members, repository, versions } = this.#options
    const { userId } = ctx.actor
    const from = decodeCursor(versionCursor, cursor) ?? 0
    const message = await this.#options.access.visible(await members.require(roomId, userId), messageId)
    const hidden = await repository.hiddenBy(userId, [messageId])
    if (message.isDeleted || hidden.has(messageId)) return { items: [], next_cursor: null }
    // A version that replaces the current text may be stored while this method reads.
    const former = (await versions.of(messageId, from, limit + 1)).filter(({ rev }) => rev < message.rev)
    const rows = message.rev >= from ? [...former, versionOf(message)] : former
    return toPage(
      rows,
      limit,
      ({ rev }) => rev + 1,
      ({ rev, content, writtenAt }) => ({ rev, content, written_at: new Date(writtenAt).toISOString() }),
    )
  }

  async #change(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    body: ChangeBody,
    validate?: (message: MessageRecord) => Promise<void>,
  ): Promise<Message> {
    const { userId } = ctx.actor
    const membership = await this.#options.members.require(roomId, userId)
    await this.#options.limits.change(userId, roomId)
    const before = await this.#options.access.visible(membership, messageId)
    // Check permissions before validation.
    if (validate && before.userId === userId && !before.isDeleted) await validate(before)
    const mayModerate = membership.roomType === 'group' && membership.role !== 'member'
    const message = await this.#options.writer.apply(
      roomId,
      { messageId, userId, mayModerate, body },
      ctx.requestId,
    )
    return this.#options.access.view(ctx, message)
  }

  async #mayWrite(ctx: AuthenticatedContext, roomId: number): Promise<Membership> {
    const membership = await this.#options.members.require(roomId, ctx.actor.userId)
    await this.#options.members.assertMaySend(membership)
    return membership
  }
}

function invalid(field: string, message: string): Problem {
  return new Problem('VALIDATION_FAILED', { errors: [{ field, message }] })
}
