import { z } from 'zod'

/** A port from an environment variable. */
export const port = z.coerce.number().int().min(0).max(65_535)

/** The configuration common to all services. A service extends it: `z.object({ ...baseConfig.shape, ... })`. */
export const baseConfig = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('production')
    .describe('`development` and `test` only relax settings documented to depend on it.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Minimum level of log lines.'),
  LOG_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Directory for additional log files, one file a day. Each process needs its own. Unset: stdout only.',
    ),
  LOG_DIR_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(14)
    .describe('Retention of the files in `LOG_DIR` in days, not counting today.'),
  ACCESS_LOG_SAMPLE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      'Sampling rate of successful requests faster than one second in the request log. All other requests are always logged.',
    ),
  MAX_RUNNING_REQUESTS: z.coerce
    .number()
    .int()
    .min(1)
    .default(400)
    .describe(
      'Concurrent requests per process, streams not counted; further requests get 503 `OVERLOADED` immediately.',
    ),
  HOST: z.string().default('127.0.0.1').describe('Listen address; `0.0.0.0` in an image.'),
  TRUST_PROXY_HOPS: z.coerce
    .number()
    .int()
    .min(0)
    .max(5)
    .default(1)
    .describe('Number of trusted proxies whose `X-Forwarded-For` is used.'),
  KAFKA_BROKERS: z
    .string()
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^:\s]+:\d+$/, 'host:port, separated by commas')).min(1))
    .describe('Kafka bootstrap brokers, `host:port` separated by commas.'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .default('')
    .describe('Prefix of every topic and consumer group, for several installations on one cluster.'),
  KAFKA_TLS: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .default(false)
    .describe('`true`: connect to Kafka with TLS.'),
  KAFKA_CA_FILE: z
    .string()
    .optional()
    .describe("File (PEM) with the brokers' certificate authority, if Node does not know it."),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('SASL mechanism for Kafka; requires KAFKA_USERNAME and KAFKA_PASSWORD.'),
  KAFKA_USERNAME: z.string().optional().describe('Kafka account of the service.'),
  KAFKA_PASSWORD: z.string().optional().describe('Its password.'),
  JWT_ISSUER: z.string().default('bigtech-user-service').describe('Required `iss` of access tokens.'),
  JWT_AUDIENCE: z.string().default('bigtech-chat').describe('Required `aud` of access tokens.'),
  JWKS_URL: z
    .url()
    .default('http://127.0.0.1:8005/.well-known/jwks.json')
    .describe('URL of the public keys of access tokens.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe('OTLP/HTTP collector for traces. Unset: tracing is off.'),
})

export type BaseConfig = z.infer<typeof baseConfig>

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads the configuration from the environment. An empty variable counts as unset.
 * @throws ConfigError naming every invalid variable, never its value (it may be a secret)
 */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: Record<string, string | undefined> = process.env,
): z.output<Schema> {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  )
  const result = schema.safeParse(present)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.')
    return present[name] === undefined ? `${name} is not set` : `${name}: ${issue.message}`
  })
  throw new ConfigError(`Configuration: ${lines.join('; ')}`)
}
