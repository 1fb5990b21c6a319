import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@bigtech/testkit'
import { expect, it, type TestContext } from 'vitest'
import { root, serviceNames } from './files.ts'
import { FETCH_TIMEOUT_MS, need } from './tools.ts'

type Labels = Record<string, string>

interface Group {
  readonly labels: Labels
  readonly receiver: { readonly name: string }
  readonly alerts: ReadonlyArray<{ readonly labels: Labels; readonly status: { readonly state: string } }>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** Starts Alertmanager with the product's configuration, hands it the alerts, and returns the groups that it would send. */
async function groupsOf(alerts: readonly Labels[], context: TestContext): Promise<Group[]> {
  const program = await need('alertmanager', context)
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-alertmanager-'))
  const url = `http://127.0.0.1:${await freePort()}`
  const config = join(root, 'infrastructure/docker/alertmanager/alertmanager.yml')
  const args = [`--config.file=${config}`, `--storage.path=${folder}`, `--web.listen-address=${url.slice(7)}`]
  const child = spawn(program, [...args, '--cluster.listen-address='], { stdio: 'ignore' })
  try {
    await waitFor(() =>
      fetch(`${url}/-/ready`)
        .then(({ ok }) => ok)
        .catch(() => false),
    )
    const body = JSON.stringify(alerts.map((labels) => ({ labels })))
    const headers = { 'content-type': 'application/json' }
    const posted = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body })
    expect(posted.status).toBe(200)
    return await settled(url, alerts.length)
  } finally {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Inhibition is decided once all alerts have arrived. */
async function settled(url: string, count: number): Promise<Group[]> {
  let before = ''
  return waitFor(async () => {
    const groups = (await (await fetch(`${url}/api/v2/alerts/groups`)).json()) as Group[]
    const states = JSON.stringify(groups.map(({ alerts }) => alerts.map(({ status }) => status.state)))
    const isStable = states === before && !states.includes('unprocessed')
    before = states
    return isStable && groups.flatMap(({ alerts }) => alerts).length === count ? groups : undefined
  })
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Names of the alerts of each message that goes out, those of the watchdog aside. */
function messages(groups: readonly Group[]): string[][] {
  return groups
    .filter(({ receiver }) => receiver.name !== 'watchdog')
    .map(({ alerts }) => alerts.filter(({ status }) => status.state === 'active'))
    .filter((alerts) => alerts.length > 0)
    .map((alerts) => [...new Set(alerts.map(({ labels }) => labels.alertname as string))])
    .sort()
}

const options = { timeout: FETCH_TIMEOUT_MS }
const critical = { severity: 'critical' }
const warning = { severity: 'warning' }

it('an outage of MySQL that affects every service sends one message', options, async (context) => {
  const groups = await groupsOf(
    [
      { alertname: 'Watchdog', severity: 'none' },
      { alertname: 'ServerDown', server: 'mysql', store: 'mysql', ...critical },
      ...serviceNames.flatMap((service) => [
        { alertname: 'StoreDown', service, store: 'mysql', ...critical },
        { alertname: 'ErrorBudgetBurnFast', service, ...critical },
        { alertname: 'HighErrorRate', service, ...warning },
        { alertname: 'OutboxBacklog', service, ...warning },
      ]),
    ],
    context,
  )
  expect(messages(groups)).toEqual([['ServerDown']])
  expect(groups.filter(({ receiver }) => receiver.name === 'watchdog')).toHaveLength(1)
})

it('an outage of MySQL sends one message where no exporter measures the server', options, async (context) => {
  const groups = await groupsOf(
    serviceNames.map((service) => ({ alertname: 'StoreDown', service, store: 'mysql', ...critical })),
    context,
  )
  expect(messages(groups)).toEqual([['StoreDown']])
})

it(
  'an outage of Kafka sends one warning, and one page when events have waited for long',
  options,
  async (context) => {
    const groups = await groupsOf(
      serviceNames.flatMap((service) => [
        { alertname: 'StoreDegraded', service, store: 'kafka', ...warning },
        { alertname: 'OutboxBacklog', service, ...warning },
        { alertname: 'OutboxStopped', service, ...critical },
        { alertname: 'ConsumerLag', service, group: service, ...warning },
        { alertname: 'ConsumerStalled', service, group: service, ...critical },
      ]),
      context,
    )
    expect(messages(groups)).toEqual([['OutboxStopped'], ['StoreDegraded']])
  },
)

it('an outage of Redis sends no page about late deliveries', options, async (context) => {
  const groups = await groupsOf(
    [
      { alertname: 'RedisDown', instance: 'redis', store: 'redis', ...warning },
      { alertname: 'DeliveryLatencyBurnFast', service: 'chat-service', ...critical },
      { alertname: 'DeliveryLatencyBurnSlow', service: 'chat-service', ...warning },
    ],
    context,
  )
  expect(messages(groups)).toEqual([['RedisDown']])
})

it(
  "neither an alert of one copy nor of another service hides a service's warning",
  options,
  async (context) => {
    const groups = await groupsOf(
      [
        { alertname: 'ServiceDown', service: 'chat-service', instance: 'a', ...critical },
        { alertname: 'EventLoopLag', service: 'chat-service', instance: 'a', ...warning },
        { alertname: 'EventLoopLag', service: 'chat-service', instance: 'b', ...warning },
        { alertname: 'StoreDownOnCopy', service: 'user-service', instance: 'c', store: 'mysql', ...warning },
        { alertname: 'HighLatency', service: 'user-service', ...warning },
        { alertname: 'StoreDown', service: 'friend-service', store: 'mysql', ...critical },
        { alertname: 'ConsumerLag', service: 'analytics-service', ...warning },
      ],
      context,
    )
    expect(messages(groups)).toEqual([
      ['ConsumerLag'],
      ['EventLoopLag'],
      ['HighLatency'],
      ['ServiceDown'],
      ['StoreDown'],
      ['StoreDownOnCopy'],
    ])
    const lag = groups
      .flatMap(({ alerts }) => alerts)
      .filter(({ labels }) => labels.alertname === 'EventLoopLag')
    const states = lag.map(({ labels, status }) => [labels.instance, status.state])
    expect(Object.fromEntries(states)).toEqual({ a: 'suppressed', b: 'active' })
  },
)
