import { availableParallelism } from 'node:os'
import { baseConfig, ConfigError, port } from '@bigtech/service-kit'
import { z } from 'zod'

const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

const MIN_KEY_LENGTH = 16

const list = (items: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .pipe(z.array(items))

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
  NOTIFICATION_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8006')
    .describe("Asked for its part of a user's data export."),
  MEDIA_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8004')
    .describe("Asked for its part of a user's data export."),
  JWT_PRIVATE_KEY_FILE: z
    .string()
    .min(1)
    .describe(
      'Ed25519 keys that sign access tokens: PKCS#8 PEM (one or several blocks) or a JWK set. The first signs, all are published.',
    ),
  TOTP_KEYS: z
    .string()
    .refine((text) => text.split(',').every((key) => key.trim().length >= MIN_KEY_LENGTH), {
      error: `Keys of ${MIN_KEY_LENGTH} characters or more, separated by commas`,
    })
    .transform((text) => text.split(',').map((key) => key.trim()))
    .describe(
      'Keys that encrypt the secrets of authenticator apps, separated by commas, 16 characters or more each. The first encrypts, all decrypt.',
    ),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://localhost:8000')
    .describe('Where people open the web client: passkeys belong to this site.'),
  DELETION_GRACE_DAYS: count(0, 60)
    .default(7)
    .describe('Days in which a sign-in takes the deletion of an account back. 0: it begins at once.'),
  BCRYPT_COST: count(4, 15)
    .default(12)
    .describe('Work factor of password hashes; less than 10 is refused when NODE_ENV is `production`.'),
  BCRYPT_WORKERS: count(1, 64)
    .optional()
    .describe('Password hashes computed at the same time. Unset: the number of cores.'),
  BCRYPT_QUEUE: count(0, 10_000)
    .default(32)
    .describe('Password hashes that may wait; beyond it the answer is 503 `OVERLOADED`.'),
  REGISTRATIONS_PER_HOUR: count(1, 1_000_000)
    .optional()
    .describe('Sign-ups from one IP address in an hour. Unset: 100, or no limit when NODE_ENV is `test`.'),
  GOOGLE_CLIENT_IDS: list(z.string().min(1))
    .default([])
    .describe(
      'OAuth client ids whose Google ID tokens are taken, separated by commas; the web app uses the first. Unset: no sign-in with Google.',
    ),
  GOOGLE_ISSUERS: list(z.string().min(1))
    .default(['https://accounts.google.com', 'accounts.google.com'])
    .describe('`iss` that an ID token may carry, separated by commas.'),
  GOOGLE_JWKS_URL: z
    .url()
    .default('https://www.googleapis.com/oauth2/v3/certs')
    .describe('Where the public keys of ID tokens are.'),
  GOOGLE_AUTHORIZATION_URL: z
    .url()
    .default('https://accounts.google.com/o/oauth2/v2/auth')
    .describe('Where the web app sends people to sign in with Google.'),
  LOGIN_FREE_ATTEMPTS_PER_IP: count(1, 1_000_000)
    .default(50)
    .describe('Failed sign-ins from one IP address in 15 min before it has to wait.'),
})

export type Config = z.output<typeof configSchema>

const MIN_COST_IN_PRODUCTION = 10
const REGISTRATIONS_PER_HOUR = 100

/**
 * What the variables alone do not say.
 * @throws ConfigError when two of them do not go together.
 */
export function settle(config: Config): { workers: number; registrationsPerHour: number } {
  const { NODE_ENV, BCRYPT_COST, BCRYPT_WORKERS, REGISTRATIONS_PER_HOUR: registrations } = config
  if (NODE_ENV === 'production' && BCRYPT_COST < MIN_COST_IN_PRODUCTION) {
    throw new ConfigError(`Configuration: BCRYPT_COST: at least ${MIN_COST_IN_PRODUCTION} in production`)
  }
  return {
    workers: BCRYPT_WORKERS ?? availableParallelism(),
    registrationsPerHour:
      registrations ?? (NODE_ENV === 'test' ? Number.POSITIVE_INFINITY : REGISTRATIONS_PER_HOUR),
  }
}
