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

/** The configuration of user-service. */
export const configSchema = z.object({
  ...baseConfig.shape,
  PORT: port.default(8005).describe('Listen port.'),
  DATABASE_URL: z.url({ protocol: /^mysql$/ }).describe('`mysql://user:password@host:port/database`'),
  DATABASE_POOL_SIZE: count(2, 200).default(20).describe('Maximum number of MySQL connections.'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).describe('`redis://host:port/database`'),
  FRIEND_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8003')
    .describe('URL of friend-service, for its part of data exports.'),
  CHAT_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8002')
    .describe('URL of chat-service, for its part of data exports.'),
  NOTIFICATION_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8006')
    .describe('URL of notification-service, for its part of data exports.'),
  MEDIA_SERVICE_URL: z
    .url()
    .default('http://127.0.0.1:8004')
    .describe('URL of media-service, for its part of data exports and for avatars.'),
  JWT_PRIVATE_KEY_FILE: z
    .string()
    .min(1)
    .describe(
      'Ed25519 keys that sign access tokens: PKCS#8 PEM (one or several blocks) or a JWK set. The first key signs, all are published.',
    ),
  TOTP_KEYS: z
    .string()
    .refine((text) => text.split(',').every((key) => key.trim().length >= MIN_KEY_LENGTH), {
      error: `Must be comma-separated keys of at least ${MIN_KEY_LENGTH} characters`,
    })
    .transform((text) => text.split(',').map((key) => key.trim()))
    .describe(
      'Encryption keys for authenticator secrets, comma-separated, at least 16 characters each. The first key encrypts, all decrypt.',
    ),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://localhost:8000')
    .describe('Public URL of the web client, to which passkeys are bound.'),
  DELETION_GRACE_DAYS: count(0, 60)
    .default(7)
    .describe(
      'Days during which a sign-in cancels the deletion of an account. 0: the deletion begins immediately.',
    ),
  BCRYPT_COST: count(4, 15)
    .default(12)
    .describe('Work factor of password hashes; values below 10 are rejected when NODE_ENV is `production`.'),
  BCRYPT_WORKERS: count(1, 64)
    .optional()
    .describe('Number of password hashes computed concurrently. Unset: the number of cores.'),
  BCRYPT_QUEUE: count(0, 10_000)
    .default(32)
    .describe('Maximum number of queued password hashes; beyond it requests get 503 `OVERLOADED`.'),
  REGISTRATIONS_PER_HOUR: count(1, 1_000_000)
    .optional()
    .describe('Sign-ups per IP address and hour. Unset: 100, or unlimited when NODE_ENV is `test`.'),
  GOOGLE_CLIENT_IDS: list(z.string().min(1))
    .default([])
    .describe(
      'OAuth client ids whose Google ID tokens are accepted, comma-separated; the web app uses the first. Unset: sign-in with Google is off.',
    ),
  GOOGLE_ISSUERS: list(z.string().min(1))
    .default(['https://accounts.google.com', 'accounts.google.com'])
    .describe('Accepted values of `iss` in ID tokens, comma-separated.'),
  GOOGLE_JWKS_URL: z
    .url()
    .default('https://www.googleapis.com/oauth2/v3/certs')
    .describe('URL of the public keys of ID tokens.'),
  GOOGLE_AUTHORIZATION_URL: z
    .url()
    .default('https://accounts.google.com/o/oauth2/v2/auth')
    .describe('URL to which the web app redirects for sign-in with Google.'),
  LOGIN_FREE_ATTEMPTS_PER_IP: count(1, 1_000_000)
    .default(50)
    .describe('Failed sign-ins per IP address in 15 minutes before it is throttled.'),
})

export type Config = z.output<typeof configSchema>

const MIN_COST_IN_PRODUCTION = 10
const REGISTRATIONS_PER_HOUR = 100

/**
 * Validates combinations of variables and resolves their defaults.
 * @throws ConfigError when two of them conflict
 */
export function resolveConfig(config: Config): { workers: number; registrationsPerHour: number } {
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
