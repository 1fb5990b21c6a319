import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8007).describe('Port to listen on.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe("This service's own database, `mysql://user:password@host:port/name`."),
  OPERATOR_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe(
      'Bearer token that operators read figures with. Unset: the read API is closed, metrics are not.',
    ),
})

export type Config = z.output<typeof configSchema>
