import type { Message, MessageFile } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { Membership, MembershipReader } from '../membership/membership.ports.ts'
import type { Appended, Draft, MessageAppender } from './log/append.ts'
import type { MessageRepository } from './log/message.repository.ts'
import { draftOf } from './log/message-factory.ts'
import type { MessageRecord } from './message.ts'
import type { MessageAccess } from './message-access.ts'
import type { MessageLimits } from './message-limits.ts'
import type { MessageViews } from './reading/message.view.ts'

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

export interface SendingServiceOptions {
  readonly repository: MessageRepository
  readonly access: MessageAccess
  readonly appender: MessageAppender
  readonly views: MessageViews
  readonly members: MembershipReader
  readonly limits: MessageLimits
  readonly files: MessageFiles
}

/** Sending and forwarding of messages. A retry with the same client_message_id returns the stored message. */
export class SendingService {
  readonly #options: SendingServiceOptions

  constructor(options: SendingServiceOptions) {
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
    const draft = draftOf(asked, ctx.requestId)
    const appended = await this.#unlessRepeated([draft], async () => {
      await members.assertMayPost(membership)
      if (input.reply_to !== undefined) await this.#repliedTo(membership, input.reply_to)
      await this.#options.access.requireMembers(roomId, input.mentions)
      const file = input.file_id && (await files.claim(ctx, input.file_id, input.message_type))
      return [await this.#post(membership, file ? draftOf({ ...asked, file }, ctx.requestId) : draft)]
    })
    const [{ message, repeated }] = appended as [Appended]
    if (repeated || input.reply_to !== undefined) return this.#options.access.view(ctx, message)
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
    const { isDeleted } = await this.#options.access.visible(membership, messageId)
    if (isDeleted)
      throw new Problem('MESSAGE_NOT_FOUND', { detail: 'The message you are replying to has been deleted.' })
  }

  async #forwardable(membership: Membership, messageId: string): Promise<MessageRecord> {
    const original = await this.#options.access.visible(membership, messageId)
    const hidden = await this.#options.repository.hiddenBy(membership.userId, [messageId])
    if (original.isDeleted || original.messageType === 'system' || hidden.has(messageId))
      throw new Problem('MESSAGE_NOT_FOUND')
    return original
  }
}
