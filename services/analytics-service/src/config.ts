import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8007).describe('Listen port.'),
  DATABASE_URL: z
    .url({ protocol: /^mysql$/ })
    .describe("This service's database, `mysql://user:password@host:port/name`."),
  OPERATOR_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe('Operator token for the read API. Unset: the read API is closed, metrics are available.'),
})

export type Config = z.output<typeof configSchema>
