import { databaseUrl, mongoUrl } from './databases.ts'
import { type Instance, openInstance, type Passwords, passwordsOf } from './instance.ts'
import { operatorToken, signingKeyFile, totpKey, vapidKeys } from './keys.ts'
import { audioTools } from './servers/audio-tools.ts'
import { objectStoreAccess } from './servers/object-store.ts'
import { type EnvironmentPart, type ServiceRow, services } from './services.ts'

/** All tests use one address through the gateway, so the production limit would block them. */
const TEST_REQUESTS_PER_MINUTE = '100000'

/** Shared by media-service and analysis-service. */
const ANALYSIS_SECRET = 'analysis-secret'

/** Every test signs users up; only user-service's tests need strong hashes. */
const TEST_BCRYPT_COST = '6'

const local = (port: number) => `http://127.0.0.1:${port}`

type Variables = Record<string, string>

const parts: Record<EnvironmentPart, (instance: Instance, passwords: Passwords) => Variables> = {
  kafka: ({ ports }) => ({ KAFKA_BROKERS: `127.0.0.1:${ports.kafka}` }),
  tokens: ({ ports }) => ({ JWKS_URL: `${local(ports.user)}/.well-known/jwks.json` }),
  signing: (instance) => ({
    JWT_PRIVATE_KEY_FILE: signingKeyFile(instance),
    TOTP_KEYS: totpKey(instance),
    PUBLIC_URL: `http://localhost:${instance.ports.gateway}`,
    ...(instance.name === 'dev' ? {} : { BCRYPT_COST: TEST_BCRYPT_COST, DELETION_GRACE_DAYS: '0' }),
  }),
  google: ({ ports }) => ({
    GOOGLE_CLIENT_IDS: 'bigtech-chat',
    GOOGLE_ISSUERS: local(ports.openId),
    GOOGLE_JWKS_URL: `${local(ports.openId)}/jwks`,
    GOOGLE_AUTHORIZATION_URL: `${local(ports.openId)}/auth`,
  }),
  neighbours: ({ ports }) => ({
    USER_SERVICE_URL: local(ports.user),
    FRIEND_SERVICE_URL: local(ports.friend),
    CHAT_SERVICE_URL: local(ports.chat),
    NOTIFICATION_SERVICE_URL: local(ports.notification),
    MEDIA_SERVICE_URL: local(ports.media),
  }),
  mail: ({ ports }) => ({
    SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    MAIL_FROM: 'BigTech Chat <hello@example.com>',
    PUBLIC_URL: `http://localhost:${ports.gateway}`,
  }),
  push: (instance) => {
    const keys = vapidKeys(instance)
    return { VAPID_PUBLIC_KEY: keys.publicKey, VAPID_PRIVATE_KEY: keys.privateKey }
  },
  operator: (instance) => ({ OPERATOR_TOKEN: operatorToken(instance) }),
  objects: (instance, passwords) => {
    const { url, accessKey, secretKey } = objectStoreAccess(instance, passwords)
    const { gateway } = instance.ports
    return {
      S3_URL: url,
      S3_ACCESS_KEY: accessKey,
      S3_SECRET_KEY: secretKey,
      S3_CORS_ORIGINS: `${local(gateway)},http://localhost:${gateway}`,
    }
  },
  audio: ({ cacheFolder }) => {
    const { ffmpeg, espeak } = audioTools(cacheFolder)
    return { FFMPEG_PATH: ffmpeg, ESPEAK_PATH: espeak }
  },
  analysis: ({ ports }, passwords) => {
    // 24 characters: the minimum length of a secret in bytes.
    const secret = `whsec_${Buffer.from(passwords(ANALYSIS_SECRET)).toString('base64')}`
    return {
      ANALYSIS_URL: local(ports.analysis),
      ANALYSIS_SECRET: secret,
      ANALYSIS_SECRETS: secret,
      WEBHOOK_URL: `${local(ports.media)}/tokens/webhook/analysis-complete`,
    }
  },
  gateway: ({ ports, name }) => ({
    CORS_ORIGINS: `${local(ports.gateway)},http://localhost:${ports.gateway}`,
    OBJECT_STORE_URL: local(ports.s3),
    ADMIN_PORT: String(ports.gatewayAdmin),
    STACK_CONTROL_URL: local(ports.stack),
    TRUST_PROXY_HOPS: '0',
    ...(name === 'test' ? { RATE_LIMIT_PER_MINUTE: TEST_REQUESTS_PER_MINUTE } : {}),
  }),
}

/** Returns the variables of one service; `port` differs for a second copy. */
export function serviceEnvironment(
  service: ServiceRow,
  instance: Instance,
  passwords: Passwords,
  port: number = instance.ports[service.port],
): Variables {
  const { ports, name } = instance
  const { database, mongo, redis } = service
  return {
    NODE_ENV: name === 'test' ? 'test' : 'development',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
    HOST: '127.0.0.1',
    PORT: String(port),
    ...(database ? { DATABASE_URL: databaseUrl(instance, passwords, database.account, database.name) } : {}),
    ...(mongo ? { MONGO_URL: mongoUrl(instance, passwords, mongo) } : {}),
    ...(redis === undefined ? {} : { REDIS_URL: `redis://127.0.0.1:${ports.redis}/${redis}` }),
    ...Object.assign({}, ...service.environment.map((part) => parts[part](instance, passwords))),
  }
}

/** Returns the variables of an instance's service, for the `bigtech` command. */
export function environmentOfService(name: string, instanceName: string): Variables {
  const instance = openInstance(instanceName)
  const service = services.find((row) => row.name === name)
  return service ? serviceEnvironment(service, instance, passwordsOf(instance)) : {}
}
