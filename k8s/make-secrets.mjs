import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { readOptions } from './arguments.mjs'

const usage = `Usage: node k8s/make-secrets.mjs [options]
Prints every Secret of manifests/secrets.example.yaml with random passwords and a new signing key:
  node k8s/make-secrets.mjs > k8s/manifests/secrets.yaml      (ignored by git; then kubectl apply -f)
  node k8s/make-secrets.mjs | kubeseal --format yaml > k8s/manifests/sealed-secrets.yaml      (may be committed)
Run it once for a cluster: a second run makes other passwords, which the servers' volumes do not know.

  --example               placeholders in place of passwords
  --mysql HOST[:PORT]     a managed MySQL, over TLS with verification of its name
  --mongodb HOST          a managed MongoDB with an SRV record, over TLS
  --redis HOST[:PORT]     a managed Redis with accounts, over TLS`

const services = ['user', 'friend', 'chat', 'notification', 'analytics', 'media']

/** Letters and digits only, because the values are used in URLs and in SQL. */
const password = () => randomBytes(24).toString('hex')

const signingKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })

/** Addresses of the stores of k8s/manifests. */
const inCluster = {
  mysql: (account, pass, database) => `mysql://${account}:${pass}@mysql:3306/${database}`,
  // The headless service resolves SRV lookups to its members, regardless of their number.
  mongodb: (pass) =>
    `mongodb+srv://chat_service:${pass}@mongodb.bigtech-chat.svc.cluster.local/bigtech_chat?replicaSet=rs0&tls=false`,
  redis: (account, pass, database) => `redis://${account}:${pass}@redis:6379/${database}`,
}

/** Addresses of stores outside of the cluster. `owner` marks an account of dbmate, whose TLS option differs. */
const managed = {
  mysql: (host) => (account, pass, database, owner) =>
    `mysql://${account}:${pass}@${host}/${database}?${owner ? 'tls=true' : 'ssl-mode=VERIFY_IDENTITY'}`,
  // SRV records imply TLS.
  mongodb: (host) => (pass) => `mongodb+srv://chat_service:${pass}@${host}/bigtech_chat`,
  redis: (host) => (account, pass, database) => `rediss://${account}:${pass}@${host}/${database}`,
}

/**
 * Returns the Secrets by name. `secret` creates each value, so that the example and the real Secrets have the same format.
 * `hosts` names the managed stores.
 */
export function secretsOf(secret, key, hosts = {}) {
  const urls = Object.fromEntries(
    Object.keys(inCluster).map((store) => [
      store,
      hosts[store] ? managed[store](hosts[store]) : inCluster[store],
    ]),
  )
  const mysql = { MYSQL_ROOT_PASSWORD: secret(), MYSQL_EXPORTER_PASSWORD: secret() }
  const mongodb = {
    MONGO_ROOT_PASSWORD: secret(),
    MONGO_REPLICA_KEY: secret(),
    MONGO_CHAT_PASSWORD: secret(),
    MONGO_EXPORTER_PASSWORD: secret(),
  }
  const redis = { REDIS_PASSWORD: secret(), REDIS_USER_PASSWORD: secret(), REDIS_CHAT_PASSWORD: secret() }
  const kafka = { KAFKA_OPERATOR_PASSWORD: secret(), KAFKA_OBSERVER_PASSWORD: secret() }
  const secrets = { mysql, mongodb, redis, kafka, 'jwt-key': { 'jwt-private.pem': key() } }
  for (const name of services) {
    const own = `MYSQL_${name.toUpperCase()}_PASSWORD`
    const owner = `MYSQL_${name.toUpperCase()}_OWNER_PASSWORD`
    mysql[own] = secret()
    mysql[owner] = secret()
    const inKafka = secret()
    kafka[`KAFKA_${name.toUpperCase()}_PASSWORD`] = inKafka
    const database = `bigtech_${name}`
    secrets[`${name}-service`] = {
      DATABASE_URL: urls.mysql(`${name}_service`, mysql[own], database),
      KAFKA_USERNAME: `${name}-service`,
      KAFKA_PASSWORD: inKafka,
    }
    secrets[`${name}-service-owner`] = {
      DATABASE_URL: urls.mysql(`${name}_service_owner`, mysql[owner], database, true),
    }
  }
  secrets['user-service'].REDIS_URL = urls.redis('user_service', redis.REDIS_USER_PASSWORD, 0)
  secrets['user-service'].TOTP_KEYS = secret()
  secrets['analytics-service'].OPERATOR_TOKEN = secret()
  Object.assign(secrets['chat-service'], {
    REDIS_URL: urls.redis('chat_service', redis.REDIS_CHAT_PASSWORD, 1),
    MONGO_URL: urls.mongodb(mongodb.MONGO_CHAT_PASSWORD),
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
  const { example, ...hosts } = readOptions(usage, {
    example: { type: 'boolean' },
    mysql: { type: 'string' },
    mongodb: { type: 'string' },
    redis: { type: 'string' },
  })
  const secrets = example
    ? secretsOf(
        () => 'CHANGE_ME',
        () => 'CHANGE_ME',
        hosts,
      )
    : secretsOf(password, signingKey, hosts)
  // kubeseal reads one object per document; JSON is YAML.
  for (const entry of Object.entries(secrets))
    console.log(`---\n${JSON.stringify(toManifest(entry), null, 2)}`)
}
