import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

/** What chat-service is configured by; docs/configuration.md is generated from it. */
export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8002).describe('Port to listen on.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe('Rooms, members and contacts: `mysql://user:password@host:port/database`.'),
  MONGO_URL: z
    .url({ protocol: /^mongodb(\+srv)?$/ })
    .describe(
      'Messages and read state: `mongodb://host:port/database`, credentials and replica set included.',
    ),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .describe('Hints between processes, typing, limits: `redis://host:port/database`.'),
  MEDIA_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8004')
    .describe('media-service, which is asked for a file before a message shows it.'),
  SENDS_PER_10_SECONDS: z.coerce
    .number()
    .int()
    .positive()
    .default(200)
    .describe('Messages that one user may send to one room in 10 seconds; to all rooms twice as many.'),
  STREAM_GONE_AFTER_MS: z.coerce
    .number()
    .int()
    .min(500)
    .default(50_000)
    .describe(
      'A stream whose client neither acknowledges nor reads for so long is closed. Clients acknowledge every 30 s.',
    ),
})

export type ChatConfig = z.infer<typeof configSchema>
