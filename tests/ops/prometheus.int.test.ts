import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, waitFor } from '@bigtech/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { root, yaml } from './files.ts'
import { runningServices } from './running.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

interface Config {
  global: Record<string, string>
  scrape_configs: Array<Record<string, unknown> & { job_name: string }>
  [key: string]: unknown
}

const source = join(root, 'infrastructure/docker/prometheus')
const folder = mkdtempSync(join(tmpdir(), 'bigtech-prometheus-'))
let prometheus: ChildProcess | undefined

afterAll(async () => {
  if (prometheus && prometheus.exitCode === null) {
    const ended = new Promise((resolve) => prometheus?.once('exit', resolve))
    prometheus.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

/** Writes the product's configuration with the addresses of this stack. */
function writeConfig(): void {
  const config = yaml<Config>('infrastructure/docker/prometheus/prometheus.yml')
  const services = config.scrape_configs.find(
    (job) => job.job_name === 'services',
  ) as Config['scrape_configs'][number]
  const { dns_sd_configs: _names, relabel_configs: _rules, ...job } = services
  const targets = runningServices().map(({ name, url }) => ({
    targets: [new URL(url).host],
    labels: { service: name },
  }))
  const rewritten = {
    ...config,
    // The rules are unchanged; only the intervals are shortened.
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    alerting: undefined,
    scrape_configs: [{ ...job, static_configs: targets }],
  }
  writeFileSync(join(folder, 'prometheus.yml'), stringify(rewritten))
  cpSync(join(source, 'rules'), join(folder, 'rules'), { recursive: true })
}

async function start(program: string): Promise<string> {
  writeConfig()
  const port = await freePort()
  prometheus = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  const url = `http://127.0.0.1:${port}`
  await waitFor(
    async () => {
      if (prometheus?.exitCode !== null) throw new Error(`Prometheus ended with ${prometheus?.exitCode}`)
      return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok
    },
    { timeoutMs: 20_000 },
  )
  return url
}

interface Sample {
  metric: Record<string, string>
  value: [number, string]
}

async function query(url: string, expression: string): Promise<Sample[]> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`)
  return ((await answer.json()) as { data: { result: Sample[] } }).data.result
}

describe('a real Prometheus with the configuration of the product', () => {
  it('a real Prometheus finds every service up, and evaluates its rules', {
    timeout: FETCH_TIMEOUT_MS,
  }, async (context) => {
    const url = await start(await need('prometheus', context))
    const expected = runningServices().map(({ name }) => name)

    await waitFor(
      async () => {
        const up = await query(url, 'up{job="services"} == 1')
        return up.length === expected.length
      },
      { timeoutMs: 20_000 },
    )
    const up = await query(url, 'up{job="services"}')
    expect(up.map(({ metric }) => metric.service).sort()).toEqual([...expected].sort())

    // `service` is equal in the services' metrics and Prometheus' labels, so it is not renamed to
    // exported_service.
    expect(await query(url, '{exported_service!=""}')).toEqual([])
    // Probes and scrapes are not counted as requests.
    await Promise.all(runningServices().map(({ url: service }) => fetch(`${service}/nothing`)))
    const serving = expected.filter((name) => !/^(media|analysis)-/.test(name))
    await waitFor(
      async () => {
        const found = await query(url, 'service:http_requests:rate5m')
        const names = new Set(found.map(({ metric }) => metric.service))
        return serving.every((name) => names.has(name))
      },
      { timeoutMs: 20_000 },
    )

    const { data } = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
      data: { groups: Array<{ rules: Array<{ name: string; health: string }> }> }
    }
    const loaded = data.groups.flatMap((group) => group.rules)
    expect(loaded.length).toBeGreaterThan(30)
    expect(loaded.filter((rule) => rule.health === 'err').map((rule) => rule.name)).toEqual([])
    const firing = await query(
      url,
      'ALERTS{alertname=~"ServiceDown|ServiceMissing|StoreDown",alertstate="firing"}',
    )
    expect(firing).toEqual([])
  })
})
