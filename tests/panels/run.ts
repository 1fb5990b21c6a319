import { setTimeout as sleep } from 'node:timers/promises'
import { openInstance } from '@bigtech/devstack'
import { readPositionals } from '@bigtech/service-kit'
import { dashboards } from '../ops/queries.ts'
import { makeTraffic } from './traffic.ts'

const usage = `Usage: npm run panels
Makes traffic and asks the running Prometheus every query of the dashboards: a panel without data is an error, unless
its reason is listed here. Needs a running npm start -- --observability.`

readPositionals(usage)

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
const prometheus = `http://127.0.0.1:${openInstance('dev').ports.prometheus}`

async function isEmpty({ query }: Panel): Promise<boolean> {
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`)
  const { data, error } = (await response.json()) as {
    data?: { result: { value: [number, string] }[] }
    error?: string
  }
  if (!data) throw new Error(`${query}: ${error}`)
  return data.result.every(({ value }) => value[1] === 'NaN')
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

const empty = await emptyPanels()
let unexplained = 0
for (const { where, query } of empty) {
  const reason = reasonOf(query)
  if (reason === undefined) unexplained++
  console.log(`${where}: ${reason ?? `NO DATA: ${query}`}`)
}
console.log(`${panels.length} queries, ${empty.length} empty, ${unexplained} of them without a reason`)
process.exitCode = unexplained === 0 ? 0 : 1
