import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { type ComposeModel, type ComposeService, exampleEnv, loadCompose } from './compose-model.ts'
import { composeName, root, serviceNames, text } from './files.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

const base = 'docker-compose.msa.yml'
const env = exampleEnv()

async function model(context: TestContext, files: string[], profiles?: string): Promise<ComposeModel> {
  const parser = await need('compose', context)
  const isTest = files[0] === 'docker-compose.test.yml'
  const loaded = loadCompose(parser, files, {
    ...(isTest ? {} : { env }),
    ...(profiles === undefined ? {} : { profiles }),
  })
  expect(loaded.error).toBe('')
  return loaded.model as ComposeModel
}

const servicesOf = (loaded: ComposeModel) => Object.entries(loaded.services)
const isJob = (service: ComposeService) => service.restart?.startsWith('on-failure') ?? false

/** The processes of media-service, which scale without an overlay. */
const scalable = ['web', 'worker']
const composeNames = serviceNames.map(composeName)

/** Single-program images without a way to check their health. */
const cannotBeAsked = ['loki', 'mongodb-exporter']

describe('docker-compose.msa.yml', { timeout: FETCH_TIMEOUT_MS }, () => {
  it('docker-compose.msa.yml is valid, alone and with every override', async (context) => {
    for (const override of ['scale', 'dev', 'small']) {
      await model(context, [base, `infrastructure/docker/compose/${override}.yml`])
    }
    // What `npm start -- --docker` lays together.
    await model(context, [
      base,
      'infrastructure/docker/compose/small.yml',
      'infrastructure/docker/compose/dev.yml',
    ])
    expect((await model(context, [base])).name).toBe('bigtech')
  })

  it('Compose starts without .env, but a gateway reachable by others refuses well-known secrets', async (context) => {
    const parser = await need('compose', context)
    const { error, model: loaded } = loadCompose(parser, [base])
    expect(error).toBe('')
    const { environment = {} } = loaded?.services['check-secrets'] ?? {}
    expect(loaded?.services.kong?.depends_on).toHaveProperty('check-secrets')
    const check = (settings: Record<string, string>) =>
      spawnSync('sh', [join(root, 'infrastructure/docker/check-secrets.sh')], {
        env: { PATH: process.env.PATH, ...environment, ...settings },
        encoding: 'utf8',
      })
    expect(check({}).status).toBe(0)
    const refused = check({ BIND_ADDRESS: '0.0.0.0' })
    expect(refused.status).toBe(1)
    for (const name of Object.keys(environment))
      if (name !== 'BIND_ADDRESS') expect(refused.stderr).toContain(name)
    const real = Object.fromEntries(Object.keys(environment).map((name) => [name, 'f3a9']))
    expect(check({ ...real, BIND_ADDRESS: '0.0.0.0' }).status).toBe(0)
    expect(check({ ...real, BIND_ADDRESS: '0.0.0.0', REDIS_PASSWORD: 'development' }).status).toBe(1)
  })

  it('the check of secrets covers every secret in .env.example', async (context) => {
    const generated = [...text('.env.example').matchAll(/^(\w+)=generate$/gm)].map(([, name]) => name)
    const { environment = {} } = (await model(context, [base])).services['check-secrets'] ?? {}
    expect(Object.keys(environment).sort()).toEqual([...generated, 'BIND_ADDRESS'].sort())
  })

  it('BIND_ADDRESS exposes the gateway and nothing else', async (context) => {
    const parser = await need('compose', context)
    const file = join(mkdtempSync(join(tmpdir(), 'compose-')), '.env')
    writeFileSync(file, 'BIND_ADDRESS=0.0.0.0\n')
    const { model: loaded } = loadCompose(parser, [base], { env: file })
    const open = servicesOf(loaded as ComposeModel).flatMap(([name, { ports }]) =>
      (ports ?? []).filter(({ host_ip }) => host_ip !== '127.0.0.1').map(() => name),
    )
    expect(open).toEqual(['kong'])
  })

  it("Compose keeps Kong's Admin API inside its container", async (context) => {
    const { kong } = (await model(context, [base])).services
    expect(kong?.environment?.KONG_ADMIN_LISTEN).toBe('127.0.0.1:8001')
  })

  it('Compose publishes well-known ports on the local machine only', async (context) => {
    const loaded = await model(context, [base])
    const published = servicesOf(loaded).flatMap(([name, { ports }]) =>
      (ports ?? []).map((port) => [name, port.host_ip, Number(port.published), port.target]),
    )
    for (const expected of [
      ['kong', 80, 8000],
      ['user-service', 8005, 8005],
      ['friend-service', 8003, 8003],
      ['chat-service', 8002, 8002],
      ['grafana', 3000, 3000],
      ['prometheus', 9090, 9090],
      ['kafka-ui', 8080, 8080],
    ] as const) {
      expect(published).toContainEqual([expected[0], '127.0.0.1', expected[1], expected[2]])
    }
    expect(published.filter(([, address]) => address !== '127.0.0.1')).toEqual([])
    const stores = published.filter(([name]) => /^(mysql|mongodb|redis|kafka-\d|loki)$/.test(String(name)))
    expect(stores).toEqual([])
  })

  it('Compose builds every service and its migrations under its name and port', async (context) => {
    const { services } = await model(context, [base])
    for (const name of serviceNames) {
      const { configSchema } = (await import(`../../services/${name}/src/config.ts`)) as {
        configSchema: { shape: { PORT: { parse(value: undefined): number } } }
      }
      const PORT = String(configSchema.shape.PORT.parse(undefined))
      expect(services[composeName(name)]?.build?.args, name).toEqual({ SERVICE: name, PORT })
      const migrate = services[name.replace('-service', '-migrate')]?.build
      expect(migrate?.args, name).toEqual({ SERVICE: name })
    }
  })

  it('Compose starts everything, and with infrastructure/docker/compose/small.yml only servers, services and gateway', async (context) => {
    const core = ['kong', 'mysql', 'mongodb', 'redis', 'kafka-1', ...composeNames]
    const extra = /grafana|prometheus|loki|alloy|jaeger|exporter|kafka-ui/
    const whole = Object.keys((await model(context, [base], '')).services)
    expect(whole).toEqual(expect.arrayContaining([...core, 'grafana', 'prometheus', 'kafka-ui']))
    const small = (await model(context, [base, 'infrastructure/docker/compose/small.yml'], '')).services
    expect(Object.keys(small)).toEqual(expect.arrayContaining(core))
    expect(Object.keys(small).filter((name) => extra.test(name))).toEqual([])
  })

  it('every container has its known name, a fixed version, a memory limit and bounded logs', async (context) => {
    for (const [name, service] of servicesOf(await model(context, [base]))) {
      if (scalable.includes(name)) expect(service, name).not.toHaveProperty('container_name')
      else expect(service.container_name, name).toBe(`bigtech-${name}`)
      expect(service.image, name).toMatch(/:[\w.-]+(@sha256:[0-9a-f]{64})?$/)
      expect(service.image, name).not.toMatch(/:(latest|main)(@|$)/)
      expect(Number(service.deploy?.resources?.limits?.memory), name).toBeGreaterThan(0)
      expect(service.logging?.options?.['max-size'], name).toBeTruthy()
    }
  })

  it('every long-running container has a health check', async (context) => {
    // The services' images contain their health check.
    for (const [name, service] of servicesOf(await model(context, [base]))) {
      if (isJob(service) || cannotBeAsked.includes(name)) continue
      if ([...composeNames, ...scalable, 'monitor', 'analysis-service'].includes(name)) continue
      expect(service.healthcheck?.test, name).toBeTruthy()
    }
  })

  it('no container starts before its dependencies are healthy or completed', async (context) => {
    const { services } = await model(context, [base])
    for (const [name, service] of Object.entries(services)) {
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        const target = services[needed] as ComposeService
        const expected = isJob(target)
          ? 'service_completed_successfully'
          : cannotBeAsked.includes(needed)
            ? 'service_started'
            : 'service_healthy'
        expect(condition, `${name} needs ${needed}`).toBe(expected)
      }
    }
  })

  it('services run without privileges, with enough time to drain their streams', async (context) => {
    const { services } = await model(context, [base])
    for (const name of [...composeNames, 'worker']) {
      const service = services[name] as ComposeService
      expect(service.read_only, name).toBe(true)
      expect(service.init, name).toBe(true)
      expect(service.cap_drop, name).toEqual(['ALL'])
      expect(service.security_opt, name).toContain('no-new-privileges:true')
      expect(service.stop_grace_period, name).toBe('30s')
    }
  })

  it('each service has its own account, and another one for migrations', async (context) => {
    const { services } = await model(context, [base])
    const accounts = Object.values(services).flatMap(({ environment }) => {
      const url = environment?.DATABASE_URL
      return url ? [`${new URL(url).username} ${new URL(url).pathname}`] : []
    })
    const expected = ['user', 'friend', 'chat', 'notification', 'analytics', 'media'].flatMap((name) => [
      `${name}_service /bigtech_${name}`,
      `${name}_service_owner /bigtech_${name}`,
    ])
    expect([...new Set(accounts)].sort()).toEqual(expected.sort())
  })

  it('media-service scales without an overlay: web and worker have no host port', async (context) => {
    const { services } = await model(context, [base])
    for (const [name, alias] of [
      ['web', 'media-service'],
      ['worker', 'media-worker'],
    ] as const) {
      expect(services[name], name).not.toHaveProperty('ports')
      expect(services[name]?.networks?.default?.aliases, name).toEqual([alias])
      expect(services[name]?.command, name).toEqual([`dist/${name}.js`])
    }
    expect(services.worker?.environment?.PORT).toBe('8009')
  })

  it('only the log collector has access to the Docker socket', async (context) => {
    const holders = servicesOf(await model(context, [base]))
      .filter(([, { volumes }]) => volumes?.some(({ source }) => source?.includes('docker.sock')))
      .map(([name]) => name)
    expect(holders).toEqual(['alloy'])
  })
})

describe('the overrides', { timeout: FETCH_TIMEOUT_MS }, () => {
  it('infrastructure/docker/compose/scale.yml removes names and ports that exist only once', async (context) => {
    const { services } = await model(context, [base, 'infrastructure/docker/compose/scale.yml'])
    for (const name of [...composeNames, 'web-client']) {
      expect(services[name]?.container_name, name).toBeUndefined()
      expect(services[name]?.ports ?? [], name).toEqual([])
    }
  })

  it('infrastructure/docker/compose/small.yml needs one broker only', async (context) => {
    const { services } = await model(
      context,
      [base, 'infrastructure/docker/compose/small.yml'],
      'observability,tools',
    )
    expect(Object.keys(services).filter((name) => /^kafka-\d$/.test(name))).toEqual(['kafka-1'])
    const mentions = servicesOf({ name: '', volumes: {}, services }).filter(([, service]) =>
      JSON.stringify(service).includes('kafka-2:'),
    )
    expect(mentions.map(([name]) => name)).toEqual([])
  })

  it('infrastructure/docker/compose/dev.yml exposes every server on the developer ports', async (context) => {
    const { services } = await model(context, [base, 'infrastructure/docker/compose/dev.yml'])
    const ports = ['mysql', 'mongodb', 'redis', 'kafka-1', 'kafka-2', 'kafka-3', 'mailpit'].flatMap((name) =>
      (services[name]?.ports ?? []).map(({ host_ip, published }) => `${host_ip}:${published}`),
    )
    expect(ports).toEqual([
      '127.0.0.1:13306',
      '127.0.0.1:27117',
      '127.0.0.1:16379',
      '127.0.0.1:19092',
      '127.0.0.1:19093',
      '127.0.0.1:19094',
      '127.0.0.1:11025',
      '127.0.0.1:11080',
    ])
    expect(services['kafka-1']?.environment?.KAFKA_ADVERTISED_LISTENERS).toContain(
      'OUTSIDE://127.0.0.1:19092',
    )
  })

  it("docker-compose.test.yml raises the gateway's rate limit", async (context) => {
    const { services } = await model(context, ['docker-compose.test.yml'], '')
    // The command replaces a line of kong.yml, which must exist.
    expect(JSON.stringify(services.kong?.command)).toContain('minute: 100$')
    expect(text('infrastructure/docker/kong/kong.yml')).toMatch(/minute: 100$/m)
  })

  it('docker-compose.test.yml shares no name and no port with the other project, and keeps no data', async (context) => {
    const ours = await model(context, [base])
    const test = await model(context, ['docker-compose.test.yml'], '')
    expect(test.name).not.toBe(ours.name)
    const names = (loaded: ComposeModel) =>
      servicesOf(loaded).flatMap(([, service]) => service.container_name ?? [])
    const ports = (loaded: ComposeModel) =>
      servicesOf(loaded).flatMap(([, service]) => (service.ports ?? []).map(({ published }) => published))
    expect(names(test).filter((name) => names(ours).includes(name))).toEqual([])
    expect(ports(test).filter((port) => ports(ours).includes(port))).toEqual([])
    const kept = servicesOf(test).flatMap(([name, { volumes }]) =>
      (volumes ?? []).filter(({ type }) => type === 'volume').map(({ source }) => `${name}: ${source}`),
    )
    // Containers share the signing key by a volume; `down --volumes` removes it.
    expect(kept.sort()).toEqual(['jwt-key: keys', 'user-service: keys'])
  })
})
