import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Service, StoreMetrics, StoreUnavailable } from '@bigtech/service-kit'
import type { Config } from '../config.ts'

/** Minimum part size of S3, except for the last part. */
const STREAM_PART_BYTES = 5 * 2 ** 20
const CONNECT_MS = 1_000
const SILENT_MS = 10_000
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

type StoreOptions = Pick<
  Config,
  | 'S3_URL'
  | 'S3_PUBLIC_URL'
  | 'S3_REGION'
  | 'S3_ACCESS_KEY'
  | 'S3_SECRET_KEY'
  | 'S3_BUCKET'
  | 'S3_CORS_ORIGINS'
>

/** The storage of file contents. An outage becomes StoreUnavailable (503). */
export class ObjectStore {
  readonly #bucket: string
  readonly #origins: readonly string[]
  readonly #client: S3Client
  /** Signs for the public address. */
  readonly #signer: S3Client
  readonly #metrics: StoreMetrics

  constructor(config: StoreOptions, metrics: StoreMetrics) {
    const settings = (endpoint: string) => ({
      endpoint,
      region: config.S3_REGION,
      forcePathStyle: true,
      credentials: { accessKeyId: config.S3_ACCESS_KEY, secretAccessKey: config.S3_SECRET_KEY },
      // A presigned PUT would otherwise contain the checksum of an empty body.
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
      maxAttempts: 2,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENT_MS, socketTimeout: SILENT_MS },
    })
    this.#bucket = config.S3_BUCKET
    this.#origins = config.S3_CORS_ORIGINS
    this.#client = new S3Client(settings(config.S3_URL))
    this.#signer = new S3Client(settings(config.S3_PUBLIC_URL ?? config.S3_URL))
    this.#metrics = metrics
  }

  /** Creates the bucket when missing and allows uploads from the configured origins. Idempotent. */
  async prepare(): Promise<void> {
    const Bucket = this.#bucket
    await this.#run('createBucket', () =>
      this.#client.send(new CreateBucketCommand({ Bucket })).catch((err: Error) => {
        if (!/BucketAlready(OwnedByYou|Exists)/.test(err.name)) throw err
      }),
    )
    const rule = {
      AllowedOrigins: [...this.#origins],
      AllowedMethods: ['GET', 'PUT'],
      AllowedHeaders: ['*'],
      ExposeHeaders: ['ETag'],
      MaxAgeSeconds: 600,
    }
    await this.#run('putCors', () =>
      this.#client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } })),
    )
  }

  async ping(): Promise<void> {
    await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }))
  }

  /** Stores a stream of unknown length in parts. Aborting the signal removes all parts. */
  async putStream(key: string, body: Readable, mime: string, signal: AbortSignal): Promise<void> {
    const upload = new Upload({
      client: this.#client,
      params: { Bucket: this.#bucket, Key: key, Body: body, ContentType: mime },
      partSize: STREAM_PART_BYTES,
      // One part in memory at a time: eight concurrent uploads stay within about 60 MB.
      queueSize: 1,
    })
    const abort = () => void upload.abort().catch(() => undefined)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await this.#run('putStream', () => upload.done())
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async put(key: string, body: Buffer, mime: string): Promise<void> {
    await this.#run('put', () =>
      this.#client.send(
        new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ContentType: mime }),
      ),
    )
  }

  /** Copies an object within the store. */
  async copy(from: string, to: string): Promise<void> {
    const Bucket = this.#bucket
    await this.#run('copy', () =>
      this.#client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${from}` })),
    )
  }

  /** Returns an object, undefined when it does not exist. @param range as in the header, `bytes=0-99` */
  async get(key: string, range?: string): Promise<StoredObject | undefined> {
    const answer = await this.#run('get', () =>
      this.#client
        .send(new GetObjectCommand({ Bucket: this.#bucket, Key: key, ...(range ? { Range: range } : {}) }))
        .catch(ignoreMissing),
    )
    if (!answer?.Body) return undefined
    return {
      body: answer.Body as Readable,
      size: answer.ContentLength ?? 0,
      contentRange: answer.ContentRange,
    }
  }

  /** Returns the size in bytes, undefined when the object does not exist. */
  async sizeOf(key: string): Promise<number | undefined> {
    const answer = await this.#run('head', () =>
      this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key })).catch(ignoreMissing),
    )
    return answer?.ContentLength
  }

  /** Returns at most 1,000 keys with a prefix. */
  async list(prefix: string): Promise<string[]> {
    const answer = await this.#run('list', () =>
      this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: prefix })),
    )
    return (answer.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]))
  }

  /** Deletes an object; idempotent. */
  async delete(key: string): Promise<void> {
    await this.#run('delete', () =>
      this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })).catch(ignoreMissing),
    )
  }

  async startParts(key: string, mime: string): Promise<string> {
    const answer = await this.#run('startParts', () =>
      this.#client.send(
        new CreateMultipartUploadCommand({ Bucket: this.#bucket, Key: key, ContentType: mime }),
      ),
    )
    return answer.UploadId!
  }

  /** Returns the received parts, or undefined when the upload has ended. */
  async listParts(key: string, uploadId: string): Promise<UploadedPart[] | undefined> {
    const answer = await this.#run('listParts', () =>
      this.#client
        .send(new ListPartsCommand({ Bucket: this.#bucket, Key: key, UploadId: uploadId, MaxParts: 100 }))
        .catch(ignoreMissing),
    )
    return (
      answer?.Parts?.map(({ PartNumber, Size, ETag }) => ({
        number: PartNumber ?? 0,
        size: Size ?? 0,
        etag: ETag ?? '',
      })) ?? (answer ? [] : undefined)
    )
  }

  async completeParts(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }))
    await this.#run('completeParts', () =>
      this.#client.send(
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
    await this.#run('abortParts', () =>
      this.#client
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
    return getSignedUrl(this.#signer, command, {
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
    return getSignedUrl(this.#signer, command, { expiresIn: seconds })
  }

  close(): void {
    this.#client.destroy()
    this.#signer.destroy()
  }

  async #run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#metrics.measure('s3', operation, work)
    } catch (err) {
      if (isOutage(err)) throw new StoreUnavailable('s3', err)
      throw err
    }
  }
}

const missing = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload', 'NoSuchBucket'])

function ignoreMissing(err: Error): undefined {
  if (missing.has(err.name)) return undefined
  throw err
}

/** Returns true for a missing response or a retryable 5xx. */
function isOutage(err: unknown): boolean {
  const { $metadata, name, code } = err as {
    $metadata?: { httpStatusCode?: number }
    name?: string
    code?: string
  }
  const status = $metadata?.httpStatusCode
  if (status !== undefined) return status >= 500
  return (
    name === 'TimeoutError' ||
    /^E(CONN|PIPE|HOST|NET|TIMEDOUT|AI_AGAIN|NOTFOUND)/.test(code ?? '') ||
    code === 'ECONNRESET'
  )
}

/** Opens the store, which need not be up yet. */
export function openObjectStore(service: Service, config: Config): ObjectStore {
  const store = new ObjectStore(config, new StoreMetrics(service.metrics))
  // Optional: messaging works without it, and every instance is affected alike.
  service.readiness.add({ name: 's3', ping: () => store.ping(), optional: true })
  // Retried until it succeeds: the store need not be up when the process starts.
  let isPrepared = false
  service.every({
    name: 'prepare bucket',
    everyMs: PREPARE_MS,
    run: async () => {
      if (!isPrepared) await store.prepare()
      isPrepared = true
    },
  })
  service.lifecycle.onStop('stores', 's3', () => store.close())
  return store
}
