import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** The configuration of web side and worker: one image, two entry points. */
export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8004).describe('Listen port; the worker serves health and metrics on it.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe("This service's database, `mysql://user:password@host:port/name`."),
  S3_URL: z.url().describe('Internal URL of the S3-compatible object store.'),
  S3_PUBLIC_URL: z
    .url()
    .optional()
    .describe('URL of the object store for browsers, used in presigned addresses. Unset: `S3_URL`.'),
  S3_REGION: z.string().default('us-east-1').describe('Region for signing requests.'),
  S3_ACCESS_KEY: z.string().min(1).describe('Access key of the object store.'),
  S3_SECRET_KEY: z.string().min(1).describe('Its secret.'),
  S3_BUCKET: z.string().default('bigtech-files').describe('Bucket name; created at startup when missing.'),
  S3_CORS_ORIGINS: z
    .string()
    .default('http://localhost,http://localhost:8000')
    .transform((text) => text.split(',').map((origin) => origin.trim()))
    .describe('Origins whose pages may upload directly to the store, comma-separated.'),
  CHAT_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8002')
    .describe('URL of chat-service, which decides who can see a message.'),
  QUOTA_BYTES: wholeNumber(0, 2 ** 50)
    .default(2 * 2 ** 30)
    .describe('Storage quota per user in bytes.'),
  UPLOAD_IDLE_MS: wholeNumber(100, 600_000)
    .default(30_000)
    .describe('Idle time after which an upload is aborted.'),
  UNUSED_FILE_HOURS: z.coerce
    .number()
    .min(0)
    .default(24)
    .describe('Hours after which an unused file is deleted.'),
  SWEEP_MS: wholeNumber(50, 600_000)
    .default(5_000)
    .describe('Interval of the sweep for expired files and orphaned objects.'),
  OPERATOR_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe('Operator token for the monitor page (`/monitor`). Unset: the page is disabled.'),
  WORKER_SLOTS: wholeNumber(1, 64).default(2).describe('Concurrent jobs per worker.'),
  JOB_LEASE_SECONDS: wholeNumber(1, 600)
    .default(30)
    .describe('Lease duration: a worker that does not renew it in time loses the job.'),
  JOB_HEARTBEAT_MS: wholeNumber(50, 60_000)
    .default(5_000)
    .describe('Interval for renewing a lease and detecting cancelled jobs.'),
  JOB_POLL_MS: wholeNumber(20, 60_000)
    .default(500)
    .describe('Polling interval of an idle worker; at least 1000 after 30 s without a job.'),
  FFMPEG_PATH: z
    .string()
    .optional()
    .describe('Path of ffmpeg, for waveforms of voice messages. Unset: duration only.'),
  ANALYSIS_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8010')
    .describe(
      'URL of the server that scores voice practice: analysis-service, or another implementation of its contract.',
    ),
  ANALYSIS_SECRETS: z
    .string()
    .transform((text) => text.split(',').map((secret) => secret.trim()))
    .pipe(z.array(z.string().min(8)).min(1))
    .describe(
      'Secrets shared with the analysis server: the first signs requests, any of them verifies webhooks. Two, comma-separated, during a rotation.',
    ),
  ANALYSIS_DEADLINE_SECONDS: wholeNumber(1, 3_600)
    .default(60)
    .describe('Time limit of an analysis, after which it is sent to the server again, three times in total.'),
  CLAMD_ADDRESS: z
    .string()
    .regex(/^[^:\s]+:\d+$/, 'host:port')
    .optional()
    .describe(
      'clamd, `host:port`: every file is scanned, and none passes during its outage. Its StreamMaxLength, MaxFileSize and MaxScanSize must exceed 100 MB.',
    ),
})

export type Config = z.output<typeof configSchema>
