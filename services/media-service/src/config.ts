import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** Of the web side and of the worker: one image, two entry points. */
export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8004).describe('Port to listen on; the worker serves health and metrics there.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe("This service's own database, `mysql://user:password@host:port/name`."),
  S3_URL: z.url().describe('The S3-compatible object store, as the services reach it.'),
  S3_PUBLIC_URL: z
    .url()
    .optional()
    .describe('The same store as browsers reach it, for presigned addresses. Unset: `S3_URL`.'),
  S3_REGION: z.string().default('us-east-1').describe('Region that requests are signed for.'),
  S3_ACCESS_KEY: z.string().min(1).describe('Access key of the object store.'),
  S3_SECRET_KEY: z.string().min(1).describe('Its secret.'),
  S3_BUCKET: z
    .string()
    .default('bigtech-files')
    .describe('The bucket; made at the start when it is missing.'),
  S3_CORS_ORIGINS: z
    .string()
    .default('http://localhost,http://localhost:8000')
    .transform((text) => text.split(',').map((origin) => origin.trim()))
    .describe('Origins whose pages may upload straight to the store, separated by commas.'),
  CHAT_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8002')
    .describe('chat-service, which is asked who can see a message.'),
  QUOTA_BYTES: wholeNumber(0, 2 ** 50)
    .default(2 * 2 ** 30)
    .describe('Storage of one user in bytes.'),
  UPLOAD_IDLE_MS: wholeNumber(100, 600_000)
    .default(30_000)
    .describe('An upload that sends nothing for so long is ended.'),
  UNUSED_FILE_HOURS: z.coerce
    .number()
    .min(0)
    .default(24)
    .describe('A file that no message uses is removed after so many hours.'),
  SWEEP_MS: wholeNumber(50, 600_000)
    .default(5_000)
    .describe('How often expired files and superfluous objects are looked for.'),
  OPERATOR_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe('Token that operators sign in to the monitor page (`/monitor`) with. Unset: it is closed.'),
  WORKER_SLOTS: wholeNumber(1, 64).default(2).describe('Jobs that one worker runs at the same time.'),
  JOB_LEASE_SECONDS: wholeNumber(1, 600)
    .default(30)
    .describe('A worker that does not renew its lease for so long has lost the job.'),
  JOB_HEARTBEAT_MS: wholeNumber(50, 60_000)
    .default(5_000)
    .describe('How often a worker renews its lease, and learns that a job was cancelled.'),
  JOB_POLL_MS: wholeNumber(20, 60_000).default(500).describe('How often an idle worker looks for a job.'),
  FFMPEG_PATH: z
    .string()
    .optional()
    .describe('ffmpeg, for the waveform of voice messages. Unset: they have a duration only.'),
  ANALYSIS_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8010')
    .describe(
      'The server that scores voice practice: analysis-service, or another one with the same contract.',
    ),
  ANALYSIS_SECRETS: z
    .string()
    .transform((text) => text.split(',').map((secret) => secret.trim()))
    .pipe(z.array(z.string().min(8)).min(1))
    .describe(
      'Shared with the analysis server: the first signs our requests, any of them its webhooks. Two, separated by a comma, while the secret is being changed.',
    ),
  ANALYSIS_DEADLINE_SECONDS: wholeNumber(1, 3_600)
    .default(60)
    .describe(
      'An analysis that is not reported after so long is given to the server again, three times in all.',
    ),
  CLAMD_ADDRESS: z
    .string()
    .regex(/^[^:\s]+:\d+$/, 'host:port')
    .optional()
    .describe(
      'clamd, `host:port`: every file is scanned, and none passes while it does not answer. Its StreamMaxLength, MaxFileSize and MaxScanSize must be above 100 MB.',
    ),
})

export type Config = z.output<typeof configSchema>
