import { availableParallelism } from 'node:os'
import { baseConfig, port } from '@bigtech/service-kit'
import { z } from 'zod'

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** What user-service is configured by. */
export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8005).describe('Port to listen on.'),
  DATABASE_URL: z.url({ protocol: /^mysql$/ }).describe('`mysql://user:password@host:port/database`'),
  DATABASE_POOL_SIZE: count(2, 200).default(20).describe('Connections to MySQL at most.'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).describe('`redis://host:port/database`'),
  FRIEND_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8003')
    .describe("Asked for its part of a user's data export."),
  CHAT_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8002')
    .describe("Asked for its part of a user's data export."),
  JWT_PRIVATE_KEY_FILE: z
    .string()
    .min(1)
    .describe(
      'Ed25519 keys that sign access tokens: PKCS#8 PEM (one or several blocks) or a JWK set. The first signs, all are published.',
    ),
  BCRYPT_COST: count(4, 15)
    .default(12)
    .refine((cost) => cost >= 10 || process.env.NODE_ENV !== 'production', 'At least 10 in production.')
    .describe('Work factor of password hashes, at least 10 in production.'),
  BCRYPT_WORKERS: count(1, 64)
    .default(availableParallelism())
    .describe('Password hashes computed at the same time. Default: the number of cores.'),
  BCRYPT_QUEUE: count(0, 10_000)
    .default(32)
    .describe('Password hashes that may wait; beyond it the answer is 503 `OVERLOADED`.'),
  REGISTRATIONS_PER_HOUR: count(1, 1_000_000)
    .default(100)
    .describe('Sign-ups from one IP address in an hour.'),
  LOGIN_FREE_ATTEMPTS_PER_IP: count(1, 1_000_000)
    .default(50)
    .describe('Failed sign-ins from one IP address in 15 min before it has to wait.'),
})

export type Config = z.output<typeof configSchema>
