import type { mongo } from 'mongoose'
import type { MongoStore } from '../../../infrastructure/mongo-store.ts'
import { collections, type MessageDocument, type VersionDocument } from '../log/documents.ts'
import type { Version } from '../message.ts'

/** Maximum number of versions per message including the current text, which bounds the growth by repeated edits. */
export const MAX_VERSIONS = 100
const REV_DIGITS = 9

function versionId(messageId: string, rev: number): string {
  return `${messageId}:${String(rev).padStart(REV_DIGITS, '0')}`
}

/** Previous versions of edited messages. Read one message and one page at a time, never by lists. */
export class VersionRepository {
  readonly #store: MongoStore

  constructor(store: MongoStore) {
    this.#store = store
  }

  /** Stores versions of one message; idempotent. Deletes the oldest beyond the limit. */
  async keep(versions: readonly Version[]): Promise<void> {
    const newest = versions.at(-1)
    if (!newest) return
    await this.#store.run('versions.keep', () =>
      this.#versions.bulkWrite(
        versions.map(({ messageId, rev, content, writtenAt }) => ({
          updateOne: {
            filter: { _id: versionId(messageId, rev) },
            update: { $setOnInsert: { rev, content, written_at: new Date(writtenAt) } },
            upsert: true,
          },
        })),
        { ordered: false, writeConcern: { w: 'majority', journal: true } },
      ),
    )
    const first = newest.rev + 2 - MAX_VERSIONS
    if (first > 0) await this.#forget(newest.messageId, versionId(newest.messageId, first))
  }

  /** Returns previous versions from this `rev` on, oldest first. */
  async of(messageId: string, fromRev: number, limit: number): Promise<Version[]> {
    const [embedded, stored] = await Promise.all([
      this.#embedded(messageId),
      this.#store.find('versions.of_message', this.#versions, {
        filter: { _id: { $gte: versionId(messageId, fromRev), $lt: `${messageId};` } },
        sort: { _id: 1 },
        limit,
      }),
    ])
    return [...embedded.filter(({ rev }) => rev >= fromRev), ...stored]
      .slice(0, limit)
      .map(({ rev, content, written_at }) => ({ messageId, rev, content, writtenAt: written_at.getTime() }))
  }

  /** Returns the versions embedded in the message by earlier releases; they are older than all others. */
  async #embedded(messageId: string): Promise<NonNullable<MessageDocument['versions']>> {
    const [message] = await this.#store.find(
      'versions.embedded',
      this.#store.collection<MessageDocument>(collections.messages),
      { filter: { _id: messageId }, projection: { versions: 1 }, limit: 1 },
    )
    return message?.versions ?? []
  }

  /** Deletes all versions of a message. */
  async forget(messageId: string): Promise<void> {
    await this.#forget(messageId, `${messageId};`)
  }

  async #forget(messageId: string, before: string): Promise<void> {
    await this.#store.run('versions.forget', () =>
      this.#versions.deleteMany({ _id: { $gte: `${messageId}:`, $lt: before } }),
    )
  }

  get #versions(): mongo.Collection<VersionDocument> {
    return this.#store.collection<VersionDocument>(collections.versions)
  }
}
