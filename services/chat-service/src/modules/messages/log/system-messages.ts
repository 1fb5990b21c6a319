import type { SystemMessage, SystemMessages } from '../messages.ports.ts'
import type { MessageAppender } from './append.ts'
import type { MessageRepository } from './message.repository.ts'
import { draftOf } from './message-factory.ts'

/** Writes system messages about changes of the room. Idempotent. */
export class SystemMessageWriter implements SystemMessages {
  readonly #appender: MessageAppender
  readonly #repository: MessageRepository
  readonly #nameOf: (userId: number) => Promise<string>

  constructor(
    appender: MessageAppender,
    repository: MessageRepository,
    nameOf: (userId: number) => Promise<string>,
  ) {
    this.#appender = appender
    this.#repository = repository
    this.#nameOf = nameOf
  }

  async append({ roomId, kind, payload, actorId, key }: SystemMessage): Promise<void> {
    await this.#repository.prepare()
    const username = await this.#nameOf(actorId)
    const draft = draftOf(
      {
        roomId,
        userId: actorId,
        username,
        content: '',
        messageType: 'system',
        clientMessageId: `system:${key}`,
        system: { kind, payload },
      },
      key,
    )
    await this.#appender.append(draft)
  }
}
