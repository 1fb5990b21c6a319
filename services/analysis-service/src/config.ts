import { port } from '@bigtech/service-kit'
import { z } from 'zod'

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** The configuration of analysis-service, which has no store and knows only the receiver of its webhooks. */
export const configSchema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('production').describe('Not used.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Minimum level of log lines.'),
  HOST: z.string().default('127.0.0.1').describe('Listen address; `0.0.0.0` in an image.'),
  PORT: port.default(8010).describe('Listen port.'),
  ANALYSIS_SECRET: z
    .string()
    .min(8)
    .describe(
      'Secret shared with media-service, for the signatures of requests and webhooks. `whsec_` and base64, or any other text; at least 24 random bytes.',
    ),
  WEBHOOK_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8004/tokens/webhook/analysis-complete')
    .describe('URL of the webhook receiver. Never taken from a request.'),
  FFMPEG_PATH: z.string().min(1).default('ffmpeg').describe('Path of ffmpeg, which decodes recordings.'),
  ANALYSIS_SLOTS: wholeNumber(1, 64).default(1).describe('Recordings analyzed concurrently.'),
  ANALYSIS_QUEUE: wholeNumber(0, 10_000)
    .default(100)
    .describe('Maximum number of queued recordings; beyond it requests get 503.'),
})

export type Config = z.output<typeof configSchema>
