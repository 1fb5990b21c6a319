import { trusted } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { stateUpdate, toChange } from '../log/documents.ts'
import type { MessageRepository } from '../log/message.repository.ts'
import type { MessageRecord, Version } from '../message.ts'
import { type Change, fold, replacedBy } from './change.ts'
import type { VersionRepository } from './version.repository.ts'

const MAX_ATTEMPTS = 20
/** Limit of changes stored in the log but not in their messages: in-flight ones, or those left by a crash. */
const MAX_PENDING_CHANGES = 10_000

/**
 * Keeps the messages consistent with the change log, which is authoritative. A message left behind by a crash
 * is repaired by its next reader or writer, any number of times.
 */
export class Projection {
  readonly #store: MongoStore
  readonly #repository: MessageRepository
  readonly #versions: VersionRepository

  constructor(store: MongoStore, repository: MessageRepository, versions: VersionRepository) {
    this.#store = store
    this.#repository = repository
    this.#versions = versions
  }

  /** Loads messages including changes that are stored only in the log. */
  async load(messageIds: readonly string[]): Promise<Map<string, MessageRecord>> {
    const messages = await this.withPending([...(await this.#repository.byIds(messageIds)).values()])
    return new Map(messages.map((message) => [message.messageId, message]))
  }

  /** Returns these stored messages including changes that are stored only in the log. */
  async withPending(stored: readonly MessageRecord[]): Promise<MessageRecord[]> {
    const messages = new Map(stored.map((message) => [message.messageId, message]))
    for (const change of await this.#changesOf(stored)) {
      const message = messages.get(change.messageId)
      if (message) messages.set(change.messageId, fold(message, change))
    }
    return [...messages.values()]
  }

  /** Saves folded messages with the versions they replace; folds again if another writer was first. */
  async save(
    before: MessageRecord,
    after: MessageRecord,
    replaced: readonly Version[],
  ): Promise<MessageRecord> {
    if (await this.#replace(before.cseq, after, replaced)) return after
    const current = await this.catchUp(before.messageId)
    // The other writer deleted the message before the versions were stored here.
    if (current?.isDeleted && replaced.length > 0) await this.#versions.forget(current.messageId)
    return current ?? after
  }

  /** Applies all pending changes of the log to a message. Null when there is no such message. */
  async catchUp(messageId: string): Promise<MessageRecord | null> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const message = (await this.#repository.byIds([messageId])).get(messageId)
      if (!message) return null
      const changes = await this.#changesOf([message])
      if (changes.length === 0) {
        if (message.isDeleted && attempt > 0) await this.#versions.forget(messageId)
        return message
      }
      let folded = message
      const replaced: Version[] = []
      for (const change of changes) {
        const version = replacedBy(change, folded)
        if (version) replaced.push(version)
        folded = fold(folded, change)
      }
      if (await this.#replace(message.cseq, folded, replaced)) return folded
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
    }
    throw new Error(`message ${messageId} changes faster than it can be written`)
  }

  async #replace(
    expectedCseq: number,
    message: MessageRecord,
    replaced: readonly Version[],
  ): Promise<boolean> {
    // The versions first, because the overwritten text exists nowhere else.
    if (!message.isDeleted) await this.#versions.keep(replaced)
    const { matchedCount } = await this.#store.run('messages.project', () =>
      this.#repository.messages.model.updateOne(
        { _id: message.messageId, cseq: expectedCseq },
        stateUpdate(message),
      ),
    )
    if (matchedCount === 1 && message.isDeleted) await this.#forgetTexts(message.messageId)
    return matchedCount === 1
  }

  /** Deletes the texts of a deleted message from versions and log; keeps the order of the changes. */
  async #forgetTexts(messageId: string): Promise<void> {
    await this.#versions.forget(messageId)
    await this.#store.run('changes.forget_texts', () =>
      this.#repository.changes.model.updateMany(
        { message_id: messageId, kind: 'edited' },
        { $unset: { content: true, mentions: true } },
      ),
    )
  }

  async #changesOf(messages: readonly MessageRecord[]): Promise<Change[]> {
    if (messages.length === 0) return []
    // Starts from each message's position: a message with thousands of changes already includes almost all of
    // them. Most messages of a page have no change, and share one alternative.
    const byCseq = Map.groupBy(messages, ({ cseq }) => cseq)
    const beyond = [...byCseq].map(([cseq, some]) => ({
      message_id: some.length === 1 ? some[0]!.messageId : trusted({ $in: some.map(idOf) }),
      cseq: trusted({ $gt: cseq }),
    }))
    const docs = await this.#store.find('changes.of_messages', this.#repository.changes.model, {
      filter: beyond.length === 1 ? beyond[0]! : { $or: beyond },
      projection: { outbox: 0 },
      sort: { cseq: 1 },
      limit: MAX_PENDING_CHANGES,
    })
    return docs.map(toChange)
  }
}

function idOf({ messageId }: MessageRecord): string {
  return messageId
}
