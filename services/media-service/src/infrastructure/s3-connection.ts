import { CreateBucketCommand, HeadBucketCommand, PutBucketCorsCommand, S3Client } from '@aws-sdk/client-s3'
import { type StoreMetrics, StoreUnavailable } from '@bigtech/service-kit'
import type { Config } from '../config.ts'

const CONNECT_MS = 1_000
const SILENT_MS = 10_000

type ConnectionOptions = Pick<
  Config,
  | 'S3_URL'
  | 'S3_PUBLIC_URL'
  | 'S3_REGION'
  | 'S3_ACCESS_KEY'
  | 'S3_SECRET_KEY'
  | 'S3_BUCKET'
  | 'S3_CORS_ORIGINS'
>

/** The clients of one bucket. An outage becomes StoreUnavailable (503). */
export class S3Connection {
  readonly bucket: string
  readonly client: S3Client
  /** Signs for the public address. */
  readonly signer: S3Client
  readonly #origins: readonly string[]
  readonly #metrics: StoreMetrics

  constructor(config: ConnectionOptions, metrics: StoreMetrics) {
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
    this.bucket = config.S3_BUCKET
    this.#origins = config.S3_CORS_ORIGINS
    this.client = new S3Client(settings(config.S3_URL))
    this.signer = new S3Client(settings(config.S3_PUBLIC_URL ?? config.S3_URL))
    this.#metrics = metrics
  }

  /** Creates the bucket when missing and allows uploads from the configured origins. Idempotent. */
  async prepare(): Promise<void> {
    const Bucket = this.bucket
    await this.run('createBucket', () =>
      this.client.send(new CreateBucketCommand({ Bucket })).catch((err: Error) => {
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
    await this.run('putCors', () =>
      this.client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } })),
    )
  }

  async ping(): Promise<void> {
    await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }))
  }

  /** Measures an operation and translates an outage. @throws StoreUnavailable */
  async run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#metrics.measure('s3', operation, work)
    } catch (err) {
      if (isOutage(err)) throw new StoreUnavailable('s3', err)
      throw err
    }
  }

  close(): void {
    this.client.destroy()
    this.signer.destroy()
  }
}

const missing = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload', 'NoSuchBucket'])

/** Returns undefined for a missing object, upload or bucket; rethrows every other error. */
export function ignoreMissing(err: Error): undefined {
  if (missing.has(err.name)) return undefined
  throw err
}

/** Returns true for a missing response, a retryable 5xx, and a bucket that is not there yet or no longer. */
function isOutage(err: unknown): boolean {
  const { $metadata, name, code } = err as {
    $metadata?: { httpStatusCode?: number }
    name?: string
    code?: string
  }
  if (name === 'NoSuchBucket') return true
  const status = $metadata?.httpStatusCode
  if (status !== undefined) return status >= 500
  return (
    name === 'TimeoutError' ||
    /^E(CONN|PIPE|HOST|NET|TIMEDOUT|AI_AGAIN|NOTFOUND)/.test(code ?? '') ||
    code === 'ECONNRESET'
  )
}
