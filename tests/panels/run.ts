import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readPositionals } from '@bigtech/service-kit'
import { type Dashboard, dashboards } from '../ops/queries.ts'
import { drawDashboard, type Series } from './draw.ts'
import { ask, readSeries } from './prometheus.ts'
import { makeTraffic } from './traffic.ts'

const usage = `Usage: npm run panels [-- FOLDER]
Makes traffic and asks the running Prometheus every query of the dashboards: a panel without data is an error, unless
its reason is listed here. With FOLDER, draws each dashboard with the data of the last 15 minutes into it, as SVG.
Needs a running npm start -- --observability.`

const [folder] = readPositionals(usage, 1)

/** Why a panel may be empty on a developer's machine. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/\b(mysql|mongodb|redis)_\w+/, 'measured by an exporter, which runs in Compose and Kubernetes'],
  [/\bkafka_(brokers|topic|consumergroup)/, 'measured by an exporter, which runs in Compose and Kubernetes'],
  [/\bkong_/, 'measured by Kong; the local gateway is another program'],
  [/rate_limited_total/, 'no limit was exceeded'],
  [/analysis_duration_seconds_bucket/, 'no recording was analyzed'],
]
const SETTLED_MS = 180_000
const ROUND_MS = 15_000

interface Panel {
  readonly where: string
  readonly query: string
}

const panels: readonly Panel[] = dashboards.flatMap(({ title, panels: all }) =>
  all.flatMap((panel) =>
    (panel.targets ?? [])
      .filter(({ datasource }) => datasource.uid === 'prometheus')
      .map(({ expr }) => ({ where: `${title}: ${panel.title}`, query: expr })),
  ),
)

async function isEmpty({ query }: Panel): Promise<boolean> {
  const result = await ask<{ value: [number, string] }>('query', { query })
  return result.every(({ value }) => value[1] === 'NaN')
}

/** The panels without data after traffic of at most three minutes: a rate needs two scrapes. */
async function emptyPanels(): Promise<Panel[]> {
  const until = Date.now() + SETTLED_MS
  for (;;) {
    await makeTraffic()
    await sleep(ROUND_MS)
    const states = await Promise.all(panels.map(isEmpty))
    const empty = panels.filter((_panel, index) => states[index])
    if (empty.every(({ query }) => reasonOf(query) !== undefined) || Date.now() > until) return empty
  }
}

const reasonOf = (query: string) => reasons.find(([pattern]) => pattern.test(query))?.[1]

async function draw(target: string): Promise<void> {
  for (const dashboard of dashboards) {
    const { panels, uid } = dashboard
    const content = new Map(
      await Promise.all(panels.map(async (panel) => [panel, await contentOf(panel)] as const)),
    )
    const file = join(target, `dashboard-${uid}.svg`)
    writeFileSync(
      file,
      drawDashboard(dashboard, (panel) => content.get(panel) ?? ''),
    )
    console.log(file)
  }
}

async function contentOf(panel: Dashboard['panels'][number]): Promise<readonly Series[] | string> {
  if (panel.type === 'logs') return 'Shown by Grafana from Loki.'
  const series = await readSeries(panel)
  if (series.length > 0) return series
  const reasons = (panel.targets ?? []).map(({ expr }) => reasonOf(expr))
  return reasons.find((reason) => reason !== undefined) ?? 'No data.'
}

const empty = await emptyPanels()
let unexplained = 0
for (const { where, query } of empty) {
  const reason = reasonOf(query)
  if (reason === undefined) unexplained++
  console.log(`${where}: ${reason ?? `NO DATA: ${query}`}`)
}
console.log(`${panels.length} queries, ${empty.length} empty, ${unexplained} of them without a reason`)
process.exitCode = unexplained === 0 ? 0 : 1
if (folder !== undefined) await draw(folder)
