import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { readOptions } from './arguments.mjs'

const usage = `Usage: node k8s/make-secrets.mjs [--example]
Prints every Secret of manifests/secrets.example.yaml with random passwords and a new signing key:
  node k8s/make-secrets.mjs > k8s/manifests/secrets.yaml      (ignored by git; then kubectl apply -f)
  node k8s/make-secrets.mjs | kubeseal --format yaml > k8s/manifests/sealed-secrets.yaml      (may be committed)
Run it once for a cluster: a second run makes other passwords, which the servers' volumes do not know.

  --example   placeholders in place of passwords`

const services = ['user', 'friend', 'chat', 'notification', 'analytics', 'media']

/** Letters and digits only, because the values are used in URLs and in SQL. */
const password = () => randomBytes(24).toString('hex')

const signingKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })

/** The Secrets by name. `secret` creates each value, so that the example and the real Secrets have the same format. */
export function secretsOf(secret, key) {
  const mysql = { MYSQL_ROOT_PASSWORD: secret(), MYSQL_EXPORTER_PASSWORD: secret() }
  const mongodb = {
    MONGO_ROOT_PASSWORD: secret(),
    MONGO_REPLICA_KEY: secret(),
    MONGO_CHAT_PASSWORD: secret(),
    MONGO_EXPORTER_PASSWORD: secret(),
  }
  const redis = { REDIS_PASSWORD: secret(), REDIS_USER_PASSWORD: secret(), REDIS_CHAT_PASSWORD: secret() }
  const kafka = { KAFKA_OPERATOR_PASSWORD: secret(), KAFKA_OBSERVER_PASSWORD: secret() }
  const redisUrl = (account, pass, database) => `redis://${account}:${pass}@redis:6379/${database}`
  // The headless service resolves SRV lookups to its members, regardless of their number.
  const members = 'mongodb.bigtech-chat.svc.cluster.local'
  const secrets = { mysql, mongodb, redis, kafka, 'jwt-key': { 'jwt-private.pem': key() } }
  for (const name of services) {
    const own = `MYSQL_${name.toUpperCase()}_PASSWORD`
    const owner = `MYSQL_${name.toUpperCase()}_OWNER_PASSWORD`
    mysql[own] = secret()
    mysql[owner] = secret()
    const inKafka = secret()
    kafka[`KAFKA_${name.toUpperCase()}_PASSWORD`] = inKafka
    const url = (account, pass) => `mysql://${account}:${pass}@mysql:3306/bigtech_${name}`
    secrets[`${name}-service`] = {
      DATABASE_URL: url(`${name}_service`, mysql[own]),
      KAFKA_USERNAME: `${name}-service`,
      KAFKA_PASSWORD: inKafka,
    }
    secrets[`${name}-service-owner`] = { DATABASE_URL: url(`${name}_service_owner`, mysql[owner]) }
  }
  secrets['user-service'].REDIS_URL = redisUrl('user_service', redis.REDIS_USER_PASSWORD, 0)
  secrets['user-service'].TOTP_KEYS = secret()
  secrets['analytics-service'].OPERATOR_TOKEN = secret()
  Object.assign(secrets['chat-service'], {
    REDIS_URL: redisUrl('chat_service', redis.REDIS_CHAT_PASSWORD, 1),
    MONGO_URL: `mongodb+srv://chat_service:${mongodb.MONGO_CHAT_PASSWORD}@${members}/bigtech_chat?replicaSet=rs0&tls=false`,
  })
  // Shared by media-service and the server that scores voice practice.
  const analysisSecret = secret()
  secrets['analysis-service'] = { ANALYSIS_SECRET: analysisSecret }
  secrets['media-service'].ANALYSIS_SECRETS = analysisSecret
  // The keys of your own S3.
  Object.assign(secrets['media-service'], {
    S3_URL: 'https://CHANGE_ME',
    S3_ACCESS_KEY: 'CHANGE_ME',
    S3_SECRET_KEY: 'CHANGE_ME',
    OPERATOR_TOKEN: secret(),
  })
  Object.assign(secrets['notification-service'], {
    SMTP_URL: 'smtp://CHANGE_ME:587',
    // Empty disables web push. `npx web-push generate-vapid-keys` creates a pair.
    VAPID_PUBLIC_KEY: '',
    VAPID_PRIVATE_KEY: '',
  })
  return secrets
}

/** One Secret object for kubectl. */
export function toManifest([name, stringData]) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'bigtech-chat', labels: { 'app.kubernetes.io/part-of': 'bigtech-chat' } },
    type: 'Opaque',
    stringData,
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { example } = readOptions(usage, { example: { type: 'boolean' } })
  const secrets = example
    ? secretsOf(
        () => 'CHANGE_ME',
        () => 'CHANGE_ME',
      )
    : secretsOf(password, signingKey)
  // kubeseal reads one object per document; JSON is YAML.
  for (const entry of Object.entries(secrets))
    console.log(`---\n${JSON.stringify(toManifest(entry), null, 2)}`)
}
