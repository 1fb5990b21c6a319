import type { MessageRepository } from '../log/message.repository.ts'
import type { MessageErasure, MessageExport } from '../messages.ports.ts'
import type { ChangeWriter } from './change-writer.ts'
import { MAX_VERSIONS, type VersionRepository } from './version.repository.ts'

const BATCH = 200

/** Erases and exports a user's messages. */
export class MessagesOfUser implements MessageErasure, MessageExport {
  readonly #repository: MessageRepository
  readonly #versions: VersionRepository
  readonly #writer: ChangeWriter

  constructor(repository: MessageRepository, versions: VersionRepository, writer: ChangeWriter) {
    this.#repository = repository
    this.#versions = versions
    this.#writer = writer
  }

  /** Erases a user's messages. Idempotent and resumable: finished messages are no longer found. */
  async erase(userId: number, policy: 'keep' | 'remove'): Promise<void> {
    if (policy === 'remove') await this.#deleteAll(userId)
    await this.#repository.anonymize(userId)
  }

  /** Deletes messages one by one, so that open streams and late resumers receive each deletion. */
  async #deleteAll(userId: number): Promise<void> {
    for (let after = ''; ; ) {
      const batch = await this.#repository.ofAuthor(userId, after, BATCH)
      const last = batch.at(-1)
      if (!last) return
      const theirs = batch.filter(({ isDeleted, messageType }) => !isDeleted && messageType !== 'system')
      await Promise.all(
        theirs.map(({ messageId, roomId }) =>
          this.#writer.apply(
            roomId,
            { messageId, userId, mayModerate: true, body: { kind: 'deleted' } },
            `erase-${userId}`,
          ),
        ),
      )
      after = last.messageId
    }
  }

  async *ownMessages(userId: number): AsyncIterable<Readonly<Record<string, unknown>>> {
    for (let after = ''; ; ) {
      const batch = await this.#repository.ofAuthor(userId, after, BATCH)
      const last = batch.at(-1)
      if (!last) return
      for (const record of batch) {
        const { messageId, roomId, seq, content, messageType, createdAt, attachment, file, isDeleted } =
          record
        if (isDeleted || messageType === 'system') continue
        yield {
          message_id: messageId,
          room_id: roomId,
          seq,
          content,
          message_type: messageType,
          created_at: new Date(createdAt).toISOString(),
          attachment,
          file,
          ...(record.rev > 0 ? { former_versions: await this.#formerVersions(messageId) } : {}),
        }
      }
      after = last.messageId
    }
  }

  async #formerVersions(messageId: string) {
    const versions = await this.#versions.of(messageId, 0, MAX_VERSIONS)
    return versions.map(({ rev, content, writtenAt }) => ({
      rev,
      content,
      written_at: new Date(writtenAt).toISOString(),
    }))
  }
}
