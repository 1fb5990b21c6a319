import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8003).describe('Port to listen on.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe("This service's own database, `mysql://user:password@host:port/name`."),
  USER_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8005')
    .describe('user-service: asked for names and presence, in the name of the caller.'),
  FRIEND_ACTIONS_PER_HOUR: z.coerce
    .number()
    .int()
    .min(1)
    .default(120)
    .describe('Friend requests and blocks of one user in an hour, counted by each process for itself.'),
})

export type Config = z.output<typeof configSchema>
