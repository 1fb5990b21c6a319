import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Service, StoreMetrics } from '@bigtech/service-kit'
import type { Config } from '../config.ts'
import { ignoreMissing, S3Connection } from './s3-connection.ts'

/** Minimum part size of S3, except for the last part. */
const STREAM_PART_BYTES = 5 * 2 ** 20
const PREPARE_MS = 1_000

export interface StoredObject {
  readonly body: Readable
  readonly size: number
  /** `bytes 0-99/1000` for a range. */
  readonly contentRange: string | undefined
}

export interface UploadedPart {
  readonly number: number
  readonly size: number
  readonly etag: string
}

export interface SignedGet {
  readonly mime: string
  readonly disposition: string
}

/** An object in a list of the store. */
export interface ListedObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly modifiedAt: Date
}

/** The storage of file contents. An outage becomes StoreUnavailable (503). */
export class ObjectStore {
  readonly #s3: S3Connection
  readonly #bucket: string

  constructor(s3: S3Connection) {
    this.#s3 = s3
    this.#bucket = s3.bucket
  }

  /** Creates and configures the bucket. Idempotent. */
  prepare(): Promise<void> {
    return this.#s3.prepare()
  }

  /** Stores a stream of unknown length in parts. Aborting the signal removes all parts. */
  async putStream(key: string, body: Readable, mime: string, signal: AbortSignal): Promise<void> {
    const upload = new Upload({
      client: this.#s3.client,
      params: { Bucket: this.#bucket, Key: key, Body: body, ContentType: mime },
      partSize: STREAM_PART_BYTES,
      // One part in memory at a time: eight concurrent uploads stay within about 60 MB.
      queueSize: 1,
    })
    const abort = () => void upload.abort().catch(() => undefined)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await this.#s3.run('putStream', () => upload.done())
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async put(key: string, body: Buffer, mime: string): Promise<void> {
    await this.#s3.run('put', () =>
      this.#s3.client.send(
        new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ContentType: mime }),
      ),
    )
  }

  /** Copies an object within the store. */
  async copy(from: string, to: string): Promise<void> {
    const Bucket = this.#bucket
    await this.#s3.run('copy', () =>
      this.#s3.client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${from}` })),
    )
  }

  /** Returns an object, undefined when it does not exist. @param range as in the header, `bytes=0-99` */
  async get(key: string, range?: string): Promise<StoredObject | undefined> {
    const response = await this.#s3.run('get', () =>
      this.#s3.client
        .send(new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...(range ? { Range: range } : {}) }))
        .catch(ignoreMissing),
    )
    if (!response?.Body) return undefined
    return {
      body: response.Body as Readable,
      size: response.ContentLength ?? 0,
      contentRange: response.ContentRange,
    }
  }

  /** Returns the size in bytes, undefined when the object does not exist. */
  async sizeOf(key: string): Promise<number | undefined> {
    const response = await this.#s3.run('head', () =>
      this.#s3.client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key })).catch(ignoreMissing),
    )
    return response?.ContentLength
  }

  /** Returns at most 1,000 keys with a prefix. */
  async list(prefix: string): Promise<string[]> {
    const response = await this.#s3.run('list', () =>
      this.#s3.client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix })),
    )
    return (response.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]))
  }

  /** Iterates all objects with a prefix, ordered by key. */
  async *all(prefix: string): AsyncGenerator<ListedObject, void> {
    let from: string | undefined
    do {
      const page = {
        Bucket: this.#bucket,
        Prefix: prefix,
        ...(from === undefined ? {} : { ContinuationToken: from }),
      }
      const response = await this.#s3.run('list', () => this.#s3.client.send(new ListObjectsV2Command(page)))
      for (const { Key, Size, LastModified } of response.Contents ?? [])
        yield { key: Key ?? '', size: Size ?? 0, modifiedAt: LastModified ?? new Date() }
      from = response.NextContinuationToken
    } while (from !== undefined)
  }

  /** Deletes an object; idempotent. */
  async delete(key: string): Promise<void> {
    await this.#s3.run('delete', () =>
      this.#s3.client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })).catch(ignoreMissing),
    )
  }

  async startParts(key: string, mime: string): Promise<string> {
    const response = await this.#s3.run('startParts', () =>
      this.#s3.client.send(
        new CreateMultipartUploadCommand({ Bucket: this.#bucket, Key: key, ContentType: mime }),
      ),
    )
    return response.UploadId!
  }

  /** Returns the received parts, or undefined when the upload has ended. */
  async listParts(key: string, uploadId: string): Promise<UploadedPart[] | undefined> {
    const response = await this.#s3.run('listParts', () =>
      this.#s3.client
        .send(new ListPartsCommand({ Bucket: this.#bucket, Key: key, UploadId: uploadId, MaxParts: 100 }))
        .catch(ignoreMissing),
    )
    return (
      response?.Parts?.map(({ PartNumber, Size, ETag }) => ({
        number: PartNumber ?? 0,
        size: Size ?? 0,
        etag: ETag ?? '',
      })) ?? (response ? [] : undefined)
    )
  }

  async completeParts(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }))
    await this.#s3.run('completeParts', () =>
      this.#s3.client.send(
        new CompleteMultipartUploadCommand({
          Bucket: this.#bucket,
          Key: key,
          UploadId: uploadId,
          MultipartUpload: { Parts },
        }),
      ),
    )
  }

  async abortParts(key: string, uploadId: string): Promise<void> {
    await this.#s3.run('abortParts', () =>
      this.#s3.client
        .send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: uploadId }))
        .catch(ignoreMissing),
    )
  }

  /** Returns an address for uploading exactly `size` bytes of one part. */
  signPart(key: string, uploadId: string, number: number, size: number, seconds: number): Promise<string> {
    const command = new UploadPartCommand({
      Bucket: this.#bucket,
      Key: key,
      UploadId: uploadId,
      PartNumber: number,
      ContentLength: size,
    })
    return getSignedUrl(this.#s3.signer, command, {
      expiresIn: seconds,
      signableHeaders: new Set(['content-length', 'host']),
    })
  }

  /** Returns an address for downloading an object as an attachment of a fixed type. */
  signGet(key: string, { mime, disposition }: SignedGet, seconds: number): Promise<string> {
    const command = new GetObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ResponseContentType: mime,
      ResponseContentDisposition: disposition,
    })
    return getSignedUrl(this.#s3.signer, command, { expiresIn: seconds })
  }
}

/** Opens the store, which need not be up yet. */
export function openObjectStore(service: Service, config: Config): ObjectStore {
  const s3 = new S3Connection(config, new StoreMetrics(service.metrics))
  // Optional: messaging works without it, and every instance is affected alike.
  service.readiness.add({ name: 's3', ping: () => s3.ping(), optional: true })
  // Retried until it succeeds: the store need not be up when the process starts.
  let isPrepared = false
  service.every({
    name: 'prepare bucket',
    everyMs: PREPARE_MS,
    run: async () => {
      if (!isPrepared) await s3.prepare()
      isPrepared = true
    },
  })
  service.lifecycle.onStop('stores', 's3', () => s3.close())
  return new ObjectStore(s3)
}
