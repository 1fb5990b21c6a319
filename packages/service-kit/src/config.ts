import { z } from 'zod'

/** A port, from an environment variable. */
export const port = z.coerce.number().int().min(0).max(65_535)

/** What every service is configured by. A service extends it: `z.object({ ...baseConfig.shape, ... })`. */
export const baseConfig = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('production')
    .describe('`development` and `test` only relax what is said to depend on it.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  LOG_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder that also gets the log, a file a day. One folder for each process. Unset: stdout only.',
    ),
  LOG_DIR_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(14)
    .describe('Days for which the files in `LOG_DIR` are kept, besides today.'),
  ACCESS_LOG_SAMPLE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      'Share of the requests that are logged, of those that succeed within a second. All others always are.',
    ),
  MAX_RUNNING_REQUESTS: z.coerce
    .number()
    .int()
    .min(1)
    .default(400)
    .describe(
      'Requests that one process works on at a time, streams not counted; others get 503 `OVERLOADED` at once.',
    ),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; `0.0.0.0` in an image.'),
  TRUST_PROXY_HOPS: z.coerce
    .number()
    .int()
    .min(0)
    .max(5)
    .default(1)
    .describe('Proxies in front whose `X-Forwarded-For` is believed.'),
  KAFKA_BROKERS: z
    .string()
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^:\s]+:\d+$/, 'host:port, separated by commas')).min(1))
    .describe('Kafka bootstrap brokers, `host:port` separated by commas.'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .default('')
    .describe('Put before every topic and consumer group: several installations on one cluster.'),
  KAFKA_TLS: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .default(false)
    .describe(
      '`true`: connect to Kafka with TLS. NODE_EXTRA_CA_CERTS names a file with an authority of your own.',
    ),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('How the service proves itself to Kafka; with KAFKA_USERNAME and KAFKA_PASSWORD.'),
  KAFKA_USERNAME: z.string().optional().describe('Account of the service in Kafka.'),
  KAFKA_PASSWORD: z.string().optional().describe('Its password.'),
  JWT_ISSUER: z.string().default('bigtech-user-service').describe('`iss` that access tokens must carry.'),
  JWT_AUDIENCE: z.string().default('bigtech-chat').describe('`aud` that access tokens must carry.'),
  JWKS_URL: z
    .url()
    .default('http://127.0.0.1:8005/.well-known/jwks.json')
    .describe('Where the public keys of access tokens are.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe('OTLP/HTTP collector for traces. Unset: tracing is off and costs nothing.'),
})

export type BaseConfig = z.infer<typeof baseConfig>

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads the configuration from the environment. An empty variable counts as unset.
 * @throws ConfigError naming every variable that is wrong, never its value (it may be a secret).
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
