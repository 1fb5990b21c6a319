import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

/** The configuration of chat-service; docs/configuration.md is generated from it. */
export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8002).describe('Listen port.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe('Rooms, members and contacts: `mysql://user:password@host:port/database`.'),
  MONGO_URL: z
    .url({ protocol: /^mongodb(\+srv)?$/ })
    .describe(
      'Messages and read state: `mongodb://host:port/database`, including credentials and replica set.',
    ),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .describe('Pub/sub between processes, typing, rate limits: `redis://host:port/database`.'),
  OPENSEARCH_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'OpenSearch for the message search: `https://user:password@host:port`. Unset: the search index is in MongoDB.',
    ),
  OPENSEARCH_INDEX: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/)
    .default('bigtech-chat-search')
    .describe('Name of the index in OpenSearch.'),
  MEDIA_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8004')
    .describe('URL of media-service, which confirms the files of messages.'),
  SENDS_PER_10_SECONDS: z.coerce
    .number()
    .int()
    .positive()
    .default(200)
    .describe(
      'Messages that one user may send to one room in 10 seconds; twice as many to all rooms together.',
    ),
  STREAM_GONE_AFTER_MS: z.coerce
    .number()
    .int()
    .min(500)
    .default(50_000)
    .describe(
      'Seconds after which a stream is closed whose client neither acknowledges nor reads. Clients acknowledge every 30 s.',
    ),
})

export type ChatConfig = z.infer<typeof configSchema>
