import { expect, it } from 'vitest'
import { complaints } from './config-schemas.ts'
import { serviceNames, yamlDocuments } from './files.ts'
import { appOf, environmentOf, named, podOf, printed, type Resource } from './kubernetes-model.ts'
import { buildWith } from './kustomize.ts'
import { FETCH_TIMEOUT_MS } from './tools.ts'

const options = { timeout: FETCH_TIMEOUT_MS }
const hosts = {
  mysql: 'db.example.com:3307',
  mongodb: 'cluster.example.com',
  redis: 'cache.example.com:6380',
}

/** The Secrets that an operator of managed stores creates. */
const secrets = () => {
  const args = Object.entries(hosts).flatMap(([store, host]) => [`--${store}`, host])
  return yamlDocuments<Resource>(printed('make-secrets.mjs', ...args))
}

const isWorkload = ({ kind }: Resource) => ['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind)

const environmentIn = (workload: Resource, objects: readonly Resource[]) => {
  const [container] = podOf(workload).spec.containers
  return container ? environmentOf(container, objects) : {}
}

it(
  'the component for managed stores leaves no store, no backup and no account job in the cluster',
  options,
  async (context) => {
    const applied = await buildWith('managed-stores', context)
    const left = applied.filter(
      ({ kind, metadata }) =>
        ['StatefulSet', 'CronJob', 'PersistentVolumeClaim'].includes(kind) ||
        (kind !== 'ConfigMap' &&
          /^(mysql|mongodb|redis|kafka)(-accounts|-backup)?$/.test(appOf(metadata.labels))),
    )
    expect(left.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([])
    expect(applied.filter(isWorkload)).toHaveLength(18)
  },
)

it(
  'the component for managed stores configures every service completely, with TLS and an account for each store',
  options,
  async (context) => {
    const objects = [...(await buildWith('managed-stores', context)), ...secrets()]
    for (const name of [...serviceNames, 'media-worker']) {
      const service = name === 'media-worker' ? 'media-service' : name
      const environment = environmentIn(named('Deployment', name, objects), objects)
      expect(await complaints(service, environment), name).toEqual([])
      const account = service.replace('-', '_')
      const mysql = new URL(environment.DATABASE_URL as string)
      expect([mysql.host, mysql.username, mysql.search], name).toEqual([
        hosts.mysql,
        account,
        '?ssl-mode=VERIFY_IDENTITY',
      ])
      expect(environment, name).toMatchObject({
        KAFKA_TLS: 'true',
        KAFKA_SASL_MECHANISM: 'scram-sha-512',
        KAFKA_USERNAME: service,
      })
      if (environment.REDIS_URL)
        expect(environment.REDIS_URL, name).toMatch(new RegExp(`^rediss://${account}:\\w+@${hosts.redis}/`))
    }
    const { MONGO_URL } = environmentIn(named('Deployment', 'chat-service', objects), objects)
    // SRV records imply TLS, unless the URL disables it.
    expect(MONGO_URL).toMatch(/^mongodb\+srv:\/\/chat_service:\w+@cluster\.example\.com\/bigtech_chat$/)
  },
)

it(
  'with managed stores, everything that connects to a store trusts the authority in the ConfigMap store-ca',
  options,
  async (context) => {
    const objects = [...(await buildWith('managed-stores', context)), ...secrets()]
    const clients = objects.filter(isWorkload).filter((workload) => {
      const environment = environmentIn(workload, objects)
      return environment.DATABASE_URL || environment.KAFKA_BROKERS
    })
    expect(clients.length).toBe(15)
    for (const workload of clients) {
      const pod = podOf(workload).spec
      const environment = environmentIn(workload, objects)
      // dbmate is a Go program.
      const variable = workload.metadata.name.includes('-migrate') ? 'SSL_CERT_FILE' : 'NODE_EXTRA_CA_CERTS'
      const mount = pod.containers[0]?.volumeMounts?.find(({ name }) => name === 'store-ca')
      expect(environment[variable], workload.metadata.name).toBe(`${mount?.mountPath}/ca.pem`)
      expect(pod.volumes).toContainEqual({ name: 'store-ca', configMap: { name: 'store-ca' } })
      if (variable === 'SSL_CERT_FILE') expect(environment.DATABASE_URL).toMatch(/_owner:.*\?tls=true$/)
    }
  },
)

it(
  'with managed stores, the network policies let each pod reach exactly the stores that it is configured for',
  options,
  async (context) => {
    const objects = [...(await buildWith('managed-stores', context)), ...secrets()]
    const users = (variable: string) =>
      objects
        .filter(isWorkload)
        .filter((workload) => environmentIn(workload, objects)[variable])
        .map((workload) => appOf(podOf(workload).metadata.labels))
        .sort()
    const allowed = (store: string) => {
      const { podSelector } = named('NetworkPolicy', `managed-${store}`, objects).spec
      return [...(podSelector?.matchExpressions?.[0]?.values ?? [appOf(podSelector?.matchLabels)])].sort()
    }
    expect(allowed('mysql')).toEqual(users('DATABASE_URL'))
    expect(allowed('kafka')).toEqual(users('KAFKA_BROKERS'))
    expect(allowed('redis')).toEqual(users('REDIS_URL'))
    expect(allowed('mongodb')).toEqual(users('MONGO_URL'))
  },
)
