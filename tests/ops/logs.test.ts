import { createLogger } from '@bigtech/service-kit'
import { describe, expect, it, type TestContext } from 'vitest'
import { exampleEnv, loadCompose } from './compose-model.ts'
import { serviceNames, text, yaml } from './files.ts'
import { component, type Entry, finds, parseAlloy, processEntry, relabel } from './log-pipeline.ts'
import { logqlQueries } from './queries.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

/** Returns the lines that a service writes to stdout. */
function linesOf(service: string): string[] {
  const lines: string[] = []
  const log = createLogger({
    service,
    level: 'info',
    destination: { write: (line) => lines.push(line.trimEnd()) },
  })
  log.info({ request_id: 'request-1', path: '/users/:user_id' }, 'request')
  log.error({ request_id: 'request-2', err: new Error('the database is unavailable') }, 'request failed')
  return lines
}

/** Returns the entry in Loki for a line of a Compose service's container. */
async function arrive(context: TestContext, service: string, line: string): Promise<Entry> {
  const blocks = parseAlloy(await need('alloy', context))
  const { model } = loadCompose(await need('compose', context), ['docker-compose.msa.yml'], {
    env: exampleEnv(),
  })
  const labels = model?.services[service]?.labels
  const meta = {
    __meta_docker_container_label_com_docker_compose_service: service,
    __meta_docker_container_label_com_docker_compose_project: 'bigtech',
    __meta_docker_container_name: `/bigtech-${service}`,
    __meta_docker_container_label_bigtech_logs: labels?.['bigtech.logs'] ?? '',
  }
  const entry = {
    labels: relabel(component(blocks, 'discovery.relabel'), meta),
    line,
    timestamp: 'of the runtime',
  }
  return processEntry(component(blocks, 'loki.process').blocks, entry)
}

describe('a log line on its way to Loki', { timeout: FETCH_TIMEOUT_MS }, () => {
  it.for(serviceNames)('a log line of %s is found by service and word', async (service, context) => {
    const [info, error] = await Promise.all(linesOf(service).map((line) => arrive(context, service, line)))
    const query = `{service="${service}"} |= "error"`
    expect(finds(query, error as Entry)).toBe(true)
    expect(finds(query, info as Entry)).toBe(false)
    expect(finds(`{service=~".+"} |= "request-1"`, info as Entry)).toBe(true)
  })

  it('a log line has only two labels and the time of writing', async (context) => {
    const [line] = linesOf('chat-service') as [string]
    const entry = await arrive(context, 'chat-service', line)
    expect(entry.labels).toEqual({ service: 'chat-service', level: 'info' })
    expect(entry.line).toBe(line)
    expect(entry.timestamp).toBe((JSON.parse(line) as { time: string }).time)
  })

  it('a log line of a program without JSON keeps its text and gets its service', async (context) => {
    const entry = await arrive(context, 'mysql', '2026-01-01T00:00:00Z 0 [System] ready for connections')
    expect(entry.labels).toEqual({ service: 'mysql' })
    expect(entry.line).toContain('ready for connections')
  })

  it.for([
    ['GET /api/stream?after=1&ticket=canary HTTP/1.1', 'GET /api/stream?hidden HTTP/1.1'],
    ['GET /api/stream?%74icket=canary HTTP/1.1', 'GET /api/stream?hidden HTTP/1.1'],
    ['POST /api/rooms/join/canary HTTP/1.1', 'POST /api/rooms/join/hidden HTTP/1.1'],
    ['POST /api/friends/inv%69tes/canary HTTP/1.1', 'POST /api/friends/inv%69tes/hidden HTTP/1.1'],
    ['POST /api/rooms/%6aoin/canary HTTP/1.1', 'POST /api/rooms/%6aoin/hidden HTTP/1.1'],
    ['POST /api/rooms//Join//canary/x HTTP/1.1', 'POST /api/rooms//Join//hidden HTTP/1.1'],
    ['POST /api/rooms/jo%2569n%2Fcanary HTTP/1.1', 'POST /api/rooms/jo%2569n%2Fhidden HTTP/1.1'],
  ] as const)(
    "a line of nginx's error log has its ticket and token masked: %s",
    async ([written, kept], context) => {
      const line = (request: string) =>
        `[error] 7#0: *1 connect() failed (111: Connection refused), request: "${request}", host: "localhost"`
      expect((await arrive(context, 'kong', line(written))).line).toBe(line(kept))
      expect((await arrive(context, 'mysql', line(written))).line).toBe(line(written))
    },
  )

  it.for(logqlQueries)('a log line is found by the panel $where', async ({ expression }, context) => {
    const service = /service="([\w-]+)"/.exec(expression)?.[1] as string
    const [info, error] = await Promise.all(linesOf(service).map((line) => arrive(context, service, line)))
    expect(finds(expression, error as Entry)).toBe(true)
    expect(finds(expression, info as Entry)).toBe(false)
  })

  it("log lines are collected from this project's containers only and sent to the configured Loki", async (context) => {
    const blocks = parseAlloy(await need('alloy', context))
    const filter = component(component(blocks, 'discovery.docker').blocks, 'filter')
    expect(filter.attributes.values).toContain('com.docker.compose.project=bigtech')
    const endpoint = component(component(blocks, 'loki.write').blocks, 'endpoint')
    const { server } = yaml<{ server: { http_listen_port: number } }>('infrastructure/docker/loki/loki.yml')
    expect(endpoint.attributes.url).toBe(`"http://loki:${server.http_listen_port}/loki/api/v1/push"`)
    expect(text('infrastructure/docker/grafana/provisioning/datasources/datasources.yml')).toContain(
      `http://loki:${server.http_listen_port}`,
    )
  })
})

it('a successful request makes one line in Compose and Kubernetes, written by the gateway', () => {
  const { plugins } = yaml<{ plugins: { name: string; config?: { path?: string } }[] }>(
    'infrastructure/docker/kong/kong.yml',
  )
  expect(plugins.find(({ name }) => name === 'file-log')?.config?.path).toBe('/dev/stdout')
  expect(text('docker-compose.msa.yml')).toMatch(/^ {2}ACCESS_LOG_SAMPLE: \$\{ACCESS_LOG_SAMPLE:-0\}$/m)
  const { data } = yaml<{ data: Record<string, string> }>('k8s/manifests/configmap.yaml')
  expect(data.ACCESS_LOG_SAMPLE).toBe('0')
})
