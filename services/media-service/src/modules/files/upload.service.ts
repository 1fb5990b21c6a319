import type { Readable } from 'node:stream'
import { type AuthenticatedContext, Problem } from '@bigtech/service-kit'
import { documentTypeOf } from '../../extract/documents/document-type.ts'
import { declaredType, extensionOf, type FileType } from '../../extract/file-types.ts'
import type { Tx } from '../../infrastructure/mysql.ts'
import type { FileRepository, NewFile } from './file.repository.ts'
import { type FilePurpose, type FileRecord, isPicture, sizeLimit } from './file.ts'
import type { FileRemoval } from './file-removal.repository.ts'
import { readHead, streamTo } from './upload-stream.ts'

/** The object store operations of uploads. */
interface UploadStore {
  putStream(key: string, body: Readable, mime: string, signal: AbortSignal): Promise<void>
  copy(from: string, to: string): Promise<void>
  sizeOf(key: string): Promise<number | undefined>
  startParts(key: string, mime: string): Promise<string>
  listParts(key: string, uploadId: string): Promise<readonly UploadedPart[] | undefined>
  completeParts(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void>
  signPart(key: string, uploadId: string, number: number, size: number, seconds: number): Promise<string>
}

interface UploadedPart {
  readonly number: number
  readonly size: number
  readonly etag: string
}

/** A file in a request. */
export interface IncomingFile {
  readonly name: string
  readonly mime: string
  readonly purpose: FileRecord['purpose']
  readonly body: Readable
  /** Whether the parser truncated the file at its limit; known after the end of the body. */
  isTruncated(): boolean
  /** Content length of the request, if sent: an upper bound of the file size. */
  readonly announcedBytes: number | undefined
}

export interface DirectUpload {
  readonly name: string
  readonly mime: string
  readonly size: number
  readonly purpose: FileRecord['purpose']
}

export interface UploadPlan {
  readonly file: FileRecord
  readonly partSize: number
  readonly parts: readonly { number: number; size: number; received: boolean; url: string | null }[]
  readonly urlsExpireAt: Date
}

export interface UploadServiceOptions {
  readonly files: FileRepository
  readonly fileRemoval: FileRemoval
  readonly store: UploadStore
  /** Returns whether the first bytes match the type. */
  readonly looksLike: (head: Buffer, type: FileType) => Promise<boolean>
  readonly quotaBytes: number
  readonly unusedFileHours: number
  readonly idleMs: number
  /** Queues the next step, in the transaction that records the arrival. */
  readonly queue: (tx: Tx, file: FileRecord, requestId: string) => Promise<unknown>
}

const HOUR_SECONDS = 3_600
/** Time after which an upload left by a crashed process is removed. */
const STREAMED_SECONDS = HOUR_SECONDS
const DIRECT_SECONDS = 24 * HOUR_SECONDS
const PART_BYTES = 8 * 2 ** 20
const PART_URL_SECONDS = 900

/** Receives files: streamed through this process, or uploaded directly to the object store. */
export class UploadService {
  readonly #options: UploadServiceOptions

  constructor(options: UploadServiceOptions) {
    this.#options = options
  }

  /**
   * Receives a streamed file. @throws Problem FILE_EMPTY, FILE_TOO_LARGE, FILE_TYPE_REFUSED, QUOTA_EXCEEDED,
   * UPLOAD_CUT; StoreUnavailable
   */
  async receive(ctx: AuthenticatedContext, incoming: IncomingFile): Promise<FileRecord> {
    const { looksLike, idleMs, store } = this.#options
    const limit = sizeLimit(incoming.purpose, 'streamed')
    const type = acceptedType(incoming)
    const head = await readHead(incoming.body, idleMs)
    if (head.length === 0) throw new Problem(incoming.isTruncated() ? 'FILE_TOO_LARGE' : 'FILE_EMPTY')
    if (!(await looksLike(head, type)))
      throw new Problem('FILE_TYPE_REFUSED', { detail: `The content is not ${type.mime}.` })
    const file = await this.#begin({
      ownerId: ctx.actor.userId,
      purpose: incoming.purpose,
      kind: type.kind,
      name: incoming.name,
      mime: type.mime,
      reservedBytes: Math.min(incoming.announcedBytes ?? limit, limit),
      keepSeconds: STREAMED_SECONDS,
    })
    return this.#fill(ctx, file, () =>
      streamTo(incoming.body, head, {
        limit,
        idleMs,
        isTruncated: () => incoming.isTruncated(),
        put: (body, signal) => store.putStream(file.objectKey, body, type.mime, signal),
      }),
    )
  }

  /** Creates a file of the caller from a stored one. @throws as `receive` does */
  async copy(ctx: AuthenticatedContext, source: FileRecord, purpose: FilePurpose): Promise<FileRecord> {
    const type = acceptedType({ name: source.name, mime: source.mime, purpose })
    const limit = sizeLimit(purpose, 'streamed')
    if (source.size > limit) throw tooLarge(limit)
    const file = await this.#begin({
      ownerId: ctx.actor.userId,
      purpose,
      kind: type.kind,
      name: source.name,
      mime: type.mime,
      reservedBytes: source.size,
      keepSeconds: STREAMED_SECONDS,
    })
    return this.#fill(ctx, file, async () => {
      await this.#options.store.copy(source.objectKey, file.objectKey)
      return source.size
    })
  }

  /** Stores the bytes of a created file; a failure removes the file. */
  async #fill(ctx: AuthenticatedContext, file: FileRecord, put: () => Promise<number>): Promise<FileRecord> {
    const { fileRemoval } = this.#options
    try {
      return await this.#arrived(ctx, file, await put())
    } catch (err) {
      await fileRemoval.remove(file.id, file.ownerId).catch((cause: unknown) => {
        ctx.log.warn({ err: cause, file_id: file.id }, 'removing a failed upload failed, left to the sweep')
      })
      throw err
    }
  }

  /** Begins a direct upload. @throws as `receive` does */
  async start(ctx: AuthenticatedContext, upload: DirectUpload): Promise<UploadPlan> {
    const type = acceptedType(upload)
    const limit = sizeLimit(upload.purpose, 'direct')
    if (upload.size > limit) throw tooLarge(limit)
    const file = await this.#begin({
      ownerId: ctx.actor.userId,
      purpose: upload.purpose,
      kind: type.kind,
      name: upload.name,
      mime: type.mime,
      reservedBytes: upload.size,
      keepSeconds: DIRECT_SECONDS,
    })
    const uploadId = await this.#options.store.startParts(file.objectKey, type.mime)
    await this.#options.files.setUploadId(file.id, uploadId)
    return this.#plan({ ...file, uploadId })
  }

  /** Returns the missing parts of a direct upload. @throws Problem FILE_NOT_FOUND, UPLOAD_OVER */
  async resume(ctx: AuthenticatedContext, fileId: string): Promise<UploadPlan> {
    const file = await this.#own(ctx, fileId)
    if (file.state !== 'uploading' || file.uploadId === null) throw new Problem('UPLOAD_OVER')
    return this.#plan(file)
  }

  /** Completes a direct upload. @throws Problem FILE_NOT_FOUND, UPLOAD_INCOMPLETE */
  async complete(ctx: AuthenticatedContext, fileId: string): Promise<FileRecord> {
    const file = await this.#own(ctx, fileId)
    if (file.state !== 'uploading') return file
    const { store } = this.#options
    const parts = file.uploadId === null ? undefined : await store.listParts(file.objectKey, file.uploadId)
    // An earlier call may have joined the parts and crashed before recording it.
    if (parts === undefined && (await store.sizeOf(file.objectKey)) !== file.size)
      throw new Problem('UPLOAD_INCOMPLETE')
    if (parts !== undefined) {
      const missing = partSizes(file.size).filter(
        (size, index) => !parts.some((part) => part.number === index + 1 && part.size === size),
      )
      if (missing.length > 0)
        throw new Problem('UPLOAD_INCOMPLETE', { detail: `${missing.length} parts are missing.` })
      await store.completeParts(file.objectKey, file.uploadId!, parts)
    }
    return this.#arrived(ctx, file, file.size)
  }

  async #own(ctx: AuthenticatedContext, fileId: string): Promise<FileRecord> {
    const file = await this.#options.files.find(fileId)
    if (!file || file.ownerId !== ctx.actor.userId || file.purpose === 'document')
      throw new Problem('FILE_NOT_FOUND')
    return file
  }

  async #begin(file: NewFile): Promise<FileRecord> {
    const begun = await this.#options.files.begin(file, this.#options.quotaBytes)
    if (typeof begun !== 'number') return begun
    throw new Problem('QUOTA_EXCEEDED', { detail: `${begun} bytes of your storage are left.` })
  }

  async #arrived(ctx: AuthenticatedContext, file: FileRecord, size: number): Promise<FileRecord> {
    const keepSeconds = Math.round(this.#options.unusedFileHours * HOUR_SECONDS)
    const arrived = await this.#options.files.arrived(file.id, size, keepSeconds, (tx, row) =>
      this.#options.queue(tx, row, ctx.requestId),
    )
    if (!arrived) throw new Problem('FILE_NOT_FOUND')
    return arrived
  }

  async #plan(file: FileRecord): Promise<UploadPlan> {
    const { store } = this.#options
    const uploadId = file.uploadId!
    const received = (await store.listParts(file.objectKey, uploadId)) ?? []
    const parts = await Promise.all(
      partSizes(file.size).map(async (size, index) => {
        const number = index + 1
        const isReceived = received.some((part) => part.number === number && part.size === size)
        const url = isReceived
          ? null
          : await store.signPart(file.objectKey, uploadId, number, size, PART_URL_SECONDS)
        return { number, size, received: isReceived, url }
      }),
    )
    const urlsExpireAt = new Date(Date.now() + PART_URL_SECONDS * 1_000)
    return { file, partSize: PART_BYTES, parts, urlsExpireAt }
  }
}

/** Returns the accepted type. @throws Problem FILE_TYPE_REFUSED, naming the type or the combination as the reason */
function acceptedType({ name, mime, purpose }: Pick<DirectUpload, 'name' | 'mime' | 'purpose'>): FileType {
  const type = declaredType(name, mime)
  if (!type) {
    const detail = `A .${extensionOf(name)} file of type ${mime.slice(0, 100)} is not accepted.`
    throw new Problem('FILE_TYPE_REFUSED', { detail })
  }
  if (isPicture(purpose) && type.kind !== 'image')
    throw new Problem('FILE_TYPE_REFUSED', { detail: 'A profile or room picture must be an image.' })
  if (purpose === 'document' && documentTypeOf(type) === undefined)
    throw new Problem('FILE_TYPE_REFUSED', { detail: 'A document must be an xlsx, a PDF or an image.' })
  return type
}

function tooLarge(limit: number): Problem {
  return new Problem('FILE_TOO_LARGE', { detail: `At most ${limit / 2 ** 20} MB.` })
}

/** Returns the part sizes of a direct upload. */
function partSizes(size: number): number[] {
  const count = Math.ceil(size / PART_BYTES)
  return Array.from({ length: count }, (_unused, index) =>
    index === count - 1 ? size - PART_BYTES * (count - 1) : PART_BYTES,
  )
}
