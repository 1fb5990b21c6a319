import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8003).describe('Listen port.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe("This service's database, `mysql://user:password@host:port/name`."),
  USER_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8005')
    .describe('URL of user-service, called on behalf of users for names and presence.'),
  FRIEND_ACTIONS_PER_HOUR: z.coerce
    .number()
    .int()
    .min(1)
    .default(120)
    .describe('Friend requests and blocks of one user per hour, counted per process.'),
})

export type Config = z.output<typeof configSchema>
