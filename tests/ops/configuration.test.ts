import { describe, expect, it } from 'vitest'
import { exampleEnv, loadCompose } from './compose-model.ts'
import { complaints } from './config-schemas.ts'
import { composeName, serviceNames, text, yaml } from './files.ts'
import { type Container, environmentOf, named, podOf } from './kubernetes-model.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

/** analysis-service has its own image and no database, but is configured like the others. */
const configured = [...serviceNames, 'analysis-service']

describe('what a service is configured by', { timeout: FETCH_TIMEOUT_MS }, () => {
  it.for(configured)('%s is completely configured in Compose', async (service, context) => {
    const { model } = loadCompose(await need('compose', context), ['docker-compose.msa.yml'], {
      env: exampleEnv(),
    })
    expect(await complaints(service, model?.services[composeName(service)]?.environment ?? {})).toEqual([])
  })

  it.for(configured)(
    '%s is completely configured in the Compose file of the tests',
    async (service, context) => {
      const { model } = loadCompose(await need('compose', context), ['docker-compose.test.yml'], {
        profiles: '',
      })
      expect(await complaints(service, model?.services[composeName(service)]?.environment ?? {})).toEqual([])
    },
  )

  it.for(configured)('%s is completely configured in Kubernetes', async (service) => {
    const [container] = podOf(named('Deployment', service)).spec.containers
    expect(container && (await complaints(service, environmentOf(container)))).toEqual([])
  })
})

describe("Kafka's accounts", { timeout: FETCH_TIMEOUT_MS }, () => {
  it('in Compose each service has its own broker account, and no listener is unauthenticated', async (context) => {
    const env = exampleEnv()
    const { model } = loadCompose(await need('compose', context), ['docker-compose.msa.yml'], { env })
    const clients = Object.values(model?.services ?? {}).filter(
      ({ environment }) => environment?.KAFKA_BROKERS,
    )
    expect(clients.length).toBeGreaterThan(7)
    for (const broker of ['kafka-1', 'kafka-2', 'kafka-3']) {
      const environment = model?.services[broker]?.environment ?? {}
      expect(environment.KAFKA_LISTENER_SECURITY_PROTOCOL_MAP).not.toContain(':PLAINTEXT')
      const login = environment.KAFKA_LISTENER_NAME_INTERNAL_PLAIN_SASL_JAAS_CONFIG
      for (const client of clients) {
        const { KAFKA_USERNAME: name, KAFKA_PASSWORD: password } = client.environment ?? {}
        expect(login).toContain(`user_${name}="${password}"`)
      }
    }
    for (const service of serviceNames)
      expect(model?.services[composeName(service)]?.environment?.KAFKA_USERNAME).toBe(service)
  })

  it('in Kubernetes each service has its own broker account, and no listener is unauthenticated', () => {
    const [broker] = podOf(named('StatefulSet', 'kafka')).spec.containers
    const environment = environmentOf(broker as Container)
    expect(environment.KAFKA_LISTENER_SECURITY_PROTOCOL_MAP).not.toContain(':PLAINTEXT')
    const start = JSON.stringify(broker)
    for (const service of serviceNames) {
      const [container] = podOf(named('Deployment', service)).spec.containers
      expect(environmentOf(container as Container).KAFKA_USERNAME).toBe(service)
      const key = `KAFKA_${service.replace('-service', '').toUpperCase()}_PASSWORD`
      expect(environment).toHaveProperty(key)
      expect(start).toContain(`user_${service}=`)
      expect(start).toContain(`$${key}`)
    }
  })
})

describe('what the gateway calls', { timeout: FETCH_TIMEOUT_MS }, () => {
  const { services } = yaml<{ services: Array<{ host: string; port: number }> }>(
    'infrastructure/docker/kong/kong.yml',
  )
  const upstreams = [...new Set(services.map(({ host, port }) => `${host}:${port}`))].sort()

  it('every upstream exists in Compose on its port', async (context) => {
    const { model } = loadCompose(await need('compose', context), ['docker-compose.msa.yml'], {
      env: exampleEnv(),
    })
    for (const upstream of upstreams) {
      const [host, port] = upstream.split(':') as [string, string]
      const container = model?.services[composeName(host)]
      expect(container, upstream).toBeTruthy()
      // The page's image listens as configured in it.
      if (host === 'web-client')
        expect(text('infrastructure/docker/web-client/nginx.conf')).toContain(`listen ${port};`)
      else expect(container?.environment?.PORT, upstream).toBe(port)
    }
  })

  it('every upstream exists in Kubernetes on its port, and Kong may reach it', () => {
    for (const upstream of upstreams) {
      const [host, port] = upstream.split(':') as [string, string]
      expect(named('Service', host).spec.ports?.[0]?.port, upstream).toBe(Number(port))
      const [container] = podOf(named('Deployment', host)).spec.containers
      expect(container?.ports?.[0]?.containerPort, upstream).toBe(Number(port))
      expect(JSON.stringify(named('NetworkPolicy', 'kong').spec.egress), upstream).toContain(`"${host}"`)
    }
  })
})

describe('what Kong is told beside kong.yml', { timeout: FETCH_TIMEOUT_MS }, () => {
  /** Time in which Kong tries other copies of a service. */
  const NEXT_COPY_SECONDS = 5
  /** Without these settings nginx logs tickets, responses contain Kong's version, and one body can fill the disk. */
  const expected = {
    KONG_DATABASE: 'off',
    KONG_PROXY_ACCESS_LOG: 'off',
    KONG_HEADERS: 'off',
    KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE: '52m',
    KONG_NGINX_PROXY_PROXY_NEXT_UPSTREAM_TIMEOUT: `${NEXT_COPY_SECONDS}s`,
  }

  it("Kong's other settings are equal in Compose, in Kubernetes and in the gateway tests", async (context) => {
    const { model } = loadCompose(await need('compose', context), ['docker-compose.msa.yml'], {
      env: exampleEnv(),
    })
    expect(model?.services.kong?.environment).toMatchObject(expected)
    const [container] = podOf(named('Deployment', 'kong')).spec.containers
    expect(container && environmentOf(container)).toMatchObject(expected)
    // nginx's limit must not depend on the `ulimit -n` of an engine: each stream takes two connections.
    const connections = {
      KONG_NGINX_EVENTS_WORKER_CONNECTIONS: '16384',
      KONG_NGINX_MAIN_WORKER_RLIMIT_NOFILE: '32768',
    }
    expect(model?.services.kong?.environment).toMatchObject(connections)
    expect(container && environmentOf(container)).toMatchObject(connections)
    const tested = yaml<{ services: { kong: { environment: unknown } } }>('tests/gateway/compose.yml')
    expect(tested.services.kong.environment).toMatchObject(expected)
  })

  it('no request is repeated at another copy because its response is slow', () => {
    const { services } = yaml<{ services: Array<{ retries: number; read_timeout: number }> }>(
      'infrastructure/docker/kong/kong.yml',
    )
    for (const { retries, read_timeout } of services) {
      expect(retries).toBeGreaterThan(0)
      expect(read_timeout).toBeGreaterThan(NEXT_COPY_SECONDS * 1_000)
    }
  })
})
