import type { Message, MessageFile } from '@bigtech/contracts'
import { type AuthenticatedContext, decodeCursor, Problem, toPage } from '@bigtech/service-kit'
import { z } from 'zod'
import type { Membership, MembershipReader } from '../membership/membership.ports.ts'
import { type ChangeBody, MAX_PINS } from './changes/change.ts'
import type { ChangeWriter } from './changes/change-writer.ts'
import type { VersionRepository } from './changes/version.repository.ts'
import type { Appended, Draft, MessageAppender } from './log/append.ts'
import type { MessageRepository } from './log/message.repository.ts'
import { draftOf } from './log/message-factory.ts'
import { type MessageRecord, roomOf, versionOf } from './message.ts'
import type { MessageLimits } from './message-limits.ts'
import type { MessageViews } from './reading/message.view.ts'
import type { RoomUpdates } from './room-updates.ts'

/** The `rev` at which to continue. */
const versionCursor = z.int().min(0)

export interface SendInput {
  readonly content: string
  readonly message_type: 'text' | 'image' | 'file' | 'voice' | 'video'
  readonly client_message_id?: string | undefined
  readonly reply_to?: string | undefined
  readonly mentions?: readonly number[] | undefined
  readonly file_id?: string | undefined
}

/** The client of media-service, which stores the files. */
export interface MessageFiles {
  /**
   * Reserves a file of the sender for the message and returns its metadata.
   * @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_KIND_MISMATCH; StoreUnavailable
   */
  claim(ctx: AuthenticatedContext, fileId: string, messageType: string): Promise<MessageFile>
}

export interface MessageServiceOptions {
  readonly repository: MessageRepository
  readonly appender: MessageAppender
  readonly writer: ChangeWriter
  readonly views: MessageViews
  readonly members: MembershipReader
  readonly limits: MessageLimits
  readonly updates: RoomUpdates
  readonly versions: VersionRepository
  readonly files: MessageFiles
}

/** The operations on messages. The rooms module authorizes them; this service applies the rules of messages. */
export class MessageService {
  readonly #options: MessageServiceOptions

  constructor(options: MessageServiceOptions) {
    this.#options = options
  }

  async send(ctx: AuthenticatedContext, roomId: number, input: SendInput): Promise<Message> {
    const { members, limits, views, files } = this.#options
    const membership = await members.require(roomId, ctx.actor.userId)
    await limits.send(ctx.actor.userId, roomId)
    const asked = {
      roomId,
      userId: ctx.actor.userId,
      username: ctx.actor.username,
      content: input.content,
      messageType: input.message_type,
      clientMessageId: input.client_message_id,
      replyTo: input.reply_to,
      mentions: input.mentions && [...new Set(input.mentions)],
      fileId: input.file_id,
    }
    const appended = await this.#unlessRepeated([draftOf(asked, ctx.requestId)], async () => {
      await members.assertMayPost(membership)
      if (input.reply_to !== undefined) await this.#repliedTo(membership, input.reply_to)
      await this.#requireMembers(roomId, input.mentions)
      const file = input.file_id && (await files.claim(ctx, input.file_id, input.message_type))
      return [await this.#post(membership, draftOf({ ...asked, file: file || undefined }, ctx.requestId))]
    })
    const [{ message, repeated }] = appended as [Appended]
    if (repeated || input.reply_to !== undefined) return this.#view(ctx, message)
    // Just stored: not yet read, hidden or changed, so no further query is needed.
    const [view] = await views.shared([message])
    return view!
  }

  /** Forwards to all rooms or none, as far as foreseeable: a partial forward would be surprising. */
  async forward(
    ctx: AuthenticatedContext,
    roomId: number,
    messageId: string,
    input: { readonly room_ids: readonly number[]; readonly client_message_id?: string | undefined },
  ): Promise<Message[]> {
    const { members, limits, views } = this.#options
    const { userId, username } = ctx.actor
    const source = await members.require(roomId, userId)
    const targets: Membership[] = []
    for (const target of new Set(input.room_ids)) targets.push(await members.require(target, userId))
    const draftFor = (original: Pick<MessageRecord, 'content' | 'messageType' | 'attachment' | 'file'>) =>
      targets.map((target) =>
        draftOf(
          {
            roomId: target.roomId,
            userId,
            username,
            content: original.content,
            messageType: original.messageType,
            clientMessageId: input.client_message_id,
            attachment: original.attachment ?? undefined,
            file: original.file ?? undefined,
            forwardOf: messageId,
          },
          ctx.requestId,
        ),
      )
    const unknown = { content: '', messageType: 'text', attachment: null, file: null } as const
    const appended = await this.#unlessRepeated(draftFor(unknown), async () => {
      const original = await this.#forwardable(source, messageId)
      for (const target of targets) await members.assertMayPost(target)
      const sent: Appended[] = []
      for (const draft of draftFor(original)) {
        await limits.send(userId, draft.roomId)
        sent.push(await this.#post(targets.find(({ roomId }) => roomId === draft.roomId)!, draft))
      }
      return sent
    })
    return views.forViewer(
      appended.map(({ message }) => message),
      userId,
    )
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
      await this.#requireMembers(roomId, input.mentions, message.mentions)
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
    const message = await this.#visible(await members.require(roomId, userId), messageId)
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
    const before = await this.#visible(membership, messageId)
    // Check permissions before validation.
    if (validate && before.userId === userId && !before.isDeleted) await validate(before)
    const mayModerate = membership.roomType === 'group' && membership.role !== 'member'
    const message = await this.#options.writer.apply(
      roomId,
      { messageId, userId, mayModerate, body },
      ctx.requestId,
    )
    return this.#view(ctx, message)
  }

  /** Appends in the member's turn, which is released when nothing was stored. */
  async #post(membership: Membership, draft: Draft): Promise<Appended> {
    const giveBack = await this.#options.limits.takeTurn(membership)
    try {
      return await this.#append(draft)
    } catch (err) {
      await giveBack()
      throw err
    }
  }

  async #append(draft: Draft): Promise<Appended> {
    await this.#options.repository.prepare()
    return this.#options.appender.append(draft)
  }

  /**
   * Returns the stored messages for a retry, even if its references no longer exist. Only a refusal triggers
   * this check, so that a first send costs no lookup.
   */
  async #unlessRepeated(drafts: readonly Draft[], work: () => Promise<Appended[]>): Promise<Appended[]> {
    try {
      return await work()
    } catch (refusal) {
      if (!(refusal instanceof Problem)) throw refusal
      const stored = await Promise.all(drafts.map((draft) => this.#options.appender.repeated(draft)))
      if (stored.every((each) => each !== undefined)) return stored
      throw refusal
    }
  }

  async #repliedTo(membership: Membership, messageId: string): Promise<void> {
    const { isDeleted } = await this.#visible(membership, messageId)
    if (isDeleted)
      throw new Problem('MESSAGE_NOT_FOUND', { detail: 'The message you are replying to has been deleted.' })
  }

  async #forwardable(membership: Membership, messageId: string): Promise<MessageRecord> {
    const original = await this.#visible(membership, messageId)
    const hidden = await this.#options.repository.hiddenBy(membership.userId, [messageId])
    if (original.isDeleted || original.messageType === 'system' || hidden.has(messageId))
      throw new Problem('MESSAGE_NOT_FOUND')
    return original
  }

  async #mayWrite(ctx: AuthenticatedContext, roomId: number): Promise<Membership> {
    const membership = await this.#options.members.require(roomId, ctx.actor.userId)
    await this.#options.members.assertMaySend(membership)
    return membership
  }

  /** Returns the message if it belongs to this room and is visible to the member. */
  async #visible(membership: Membership, messageId: string): Promise<MessageRecord> {
    const { roomId, visibleFromSeq } = membership
    const message =
      roomOf(messageId) === roomId
        ? (await this.#options.repository.byIds([messageId])).get(messageId)
        : undefined
    if (!message || message.seq < visibleFromSeq) throw new Problem('MESSAGE_NOT_FOUND')
    return message
  }

  /** @param known users exempt from the check, because they were mentioned before */
  async #requireMembers(
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

  async #view(ctx: AuthenticatedContext, message: MessageRecord): Promise<Message> {
    const [view] = await this.#options.views.forViewer([message], ctx.actor.userId)
    return view!
  }
}

function invalid(field: string, message: string): Problem {
  return new Problem('VALIDATION_FAILED', { errors: [{ field, message }] })
}
