import { setTimeout as sleep } from 'node:timers/promises'
import type { Message, PicturePurpose, StorageUsage } from '@bigtech/contracts'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import type { FileRepository } from './file.repository.ts'
import { type FileRecord, type FileVariant, fitsMessage, isPicture } from './file.ts'
import type { FileRemoval } from './file-removal.repository.ts'

export interface FileServiceOptions {
  readonly files: FileRepository
  readonly fileRemoval: FileRemoval
  /**
   * Returns the message if visible to the caller: from chat-service, because leaving a room must take effect
   * immediately.
   */
  readonly findMessage: (ctx: AuthenticatedContext, messageId: string) => Promise<Message | undefined>
  readonly quotaBytes: number
}

const POLL_MS = 250

/** Operations on stored files. */
export class FileService {
  readonly #options: FileServiceOptions

  constructor(options: FileServiceOptions) {
    this.#options = options
  }

  /** Returns an own file; optionally waits for the end of its examination. @throws Problem FILE_NOT_FOUND */
  async get(ctx: AuthenticatedContext, fileId: string, waitSeconds: number): Promise<FileRecord> {
    const deadline = Date.now() + waitSeconds * 1_000
    for (;;) {
      const file = await this.#find(fileId)
      if (!file || file.ownerId !== ctx.actor.userId) throw new Problem('FILE_NOT_FOUND')
      const isOver = file.state === 'ready' || file.state === 'refused'
      if (isOver || Date.now() >= deadline) return file
      await sleep(POLL_MS)
    }
  }

  list(ctx: AuthenticatedContext, limit: number, beforeId: string | undefined): Promise<FileRecord[]> {
    return this.#options.files.list(ctx.actor.userId, limit, beforeId)
  }

  async usage(ctx: AuthenticatedContext): Promise<StorageUsage> {
    const { bytes, files, recordings } = await this.#options.files.usage(ctx.actor.userId)
    const quota_bytes = this.#options.quotaBytes
    return { used_bytes: bytes, quota_bytes, file_count: files, recording_count: recordings }
  }

  /** Deletes a file. @throws Problem FILE_NOT_FOUND, FILE_IN_USE */
  async delete(ctx: AuthenticatedContext, fileId: string): Promise<void> {
    if (!(await this.#find(fileId))) throw new Problem('FILE_NOT_FOUND')
    const outcome = await this.#options.fileRemoval.remove(fileId, ctx.actor.userId)
    if (outcome === 'unknown') throw new Problem('FILE_NOT_FOUND')
    if (outcome === 'in_use') throw new Problem('FILE_IN_USE')
  }

  /** Reserves a file for a message of its owner. @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_KIND_MISMATCH */
  async claim(ctx: AuthenticatedContext, fileId: string, messageType: string): Promise<FileRecord> {
    const file = await this.get(ctx, fileId, 0)
    assertReady(file)
    if (file.purpose !== 'attachment' || !fitsMessage(file, messageType))
      throw new Problem('FILE_KIND_MISMATCH')
    if (!(await this.#options.files.claim(file.id, file.ownerId))) throw new Problem('FILE_NOT_FOUND')
    return file
  }

  /** Reserves a picture for a profile or a room. @throws Problem FILE_NOT_FOUND, FILE_NOT_READY, FILE_KIND_MISMATCH */
  async claimPicture(ctx: AuthenticatedContext, fileId: string, purpose: PicturePurpose): Promise<void> {
    const file = await this.get(ctx, fileId, 0)
    if (file.purpose !== purpose)
      throw new Problem('FILE_KIND_MISMATCH', { detail: `The purpose of the file is not "${purpose}".` })
    assertReady(file)
    if (!(await this.#options.files.claim(file.id, file.ownerId))) throw new Problem('FILE_NOT_FOUND')
  }

  /**
   * Returns a file that the caller may fetch: an own file, or one in a message currently visible to the
   * caller. Invisible to everyone else.
   * @throws Problem FILE_NOT_FOUND, FILE_NOT_READY
   */
  async forViewer(
    ctx: AuthenticatedContext,
    fileId: string,
    { variant, messageId }: { variant: FileVariant; messageId: string | undefined },
  ): Promise<FileRecord> {
    const file = await this.#find(fileId)
    if (!file) throw new Problem('FILE_NOT_FOUND')
    if (file.ownerId !== ctx.actor.userId && !(await this.#isShownIn(ctx, fileId, messageId)))
      throw new Problem('FILE_NOT_FOUND')
    assertReady(file)
    if (!file.variants.includes(variant))
      throw new Problem('FILE_NOT_FOUND', { detail: 'There is no such variant of this file.' })
    return file
  }

  /** Returns a picture. @throws Problem FILE_NOT_FOUND */
  async picture(fileId: string): Promise<FileRecord> {
    const file = await this.#find(fileId)
    if (!file || !isPicture(file.purpose) || file.state !== 'ready') throw new Problem('FILE_NOT_FOUND')
    return file
  }

  /** Finds a file; documents are accessible only by the documents API. */
  async #find(fileId: string): Promise<FileRecord | undefined> {
    const file = await this.#options.files.find(fileId)
    return file?.purpose === 'document' ? undefined : file
  }

  async #isShownIn(
    ctx: AuthenticatedContext,
    fileId: string,
    messageId: string | undefined,
  ): Promise<boolean> {
    if (messageId === undefined) return false
    const message = await this.#options.findMessage(ctx, messageId)
    return message !== undefined && !message.is_deleted && message.file?.file_id === fileId
  }
}

function assertReady(file: FileRecord): void {
  if (file.state === 'ready') return
  const detail = file.refusal ? `It was refused: ${file.refusal.detail}` : 'It is still being examined.'
  throw new Problem('FILE_NOT_READY', { detail })
}
