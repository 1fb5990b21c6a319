import { port } from '@bigtech/service-kit'
import { z } from 'zod'

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** What analysis-service is configured by. It has no store and knows nobody but the receiver of its webhooks. */
export const configSchema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('production').describe('Not used so far.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; `0.0.0.0` in an image.'),
  PORT: port.default(8010).describe('Port to listen on.'),
  ANALYSIS_SECRET: z
    .string()
    .min(8)
    .describe(
      'Shared with media-service: signs its requests and our webhooks. `whsec_` and base64, or any other text; 24 random bytes or more.',
    ),
  WEBHOOK_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:8004/tokens/webhook/analysis-complete')
    .describe('Where results go. Never taken from a request.'),
  FFMPEG_PATH: z.string().min(1).default('ffmpeg').describe('ffmpeg, which decodes the recordings.'),
  ANALYSIS_SLOTS: wholeNumber(1, 64).default(1).describe('Recordings analyzed at the same time.'),
  ANALYSIS_QUEUE: wholeNumber(0, 10_000)
    .default(100)
    .describe('Recordings that may wait; beyond it the answer is 503.'),
})

export type Config = z.output<typeof configSchema>
