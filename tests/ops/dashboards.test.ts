import { describe, expect, it } from 'vitest'
import { commonLabels, emittedMetrics } from './emitted-metrics.ts'
import { foreignMetrics } from './exporter-metrics.ts'
import { filesBelow, text, yaml } from './files.ts'
import { partsOf } from './promql.ts'
import { dashboards, promqlQueries, rules } from './queries.ts'

const emitted = emittedMetrics()
const recorded = new Map(rules.flatMap((rule) => (rule.record ? [[rule.record, rule.expr] as const] : [])))

/** Returns the possible labels of a metric; undefined when nothing emits it. */
function labelsOf(metric: string): string[] | undefined {
  const recording = recorded.get(metric)
  if (recording !== undefined) return partsOf(recording).labels
  const labels = emitted.get(metric)?.labels ?? foreignMetrics[metric]
  return labels === undefined ? undefined : [...labels]
}

describe('every query of the dashboards and rules', () => {
  it('the queries of the dashboards and rules are found', () => {
    expect(promqlQueries.length).toBeGreaterThan(100)
    expect(emitted.size).toBeGreaterThan(10)
  })

  it('every query uses only emitted metrics', () => {
    const unknown = promqlQueries.flatMap(({ where, expression }) =>
      partsOf(expression)
        .metrics.filter((metric) => labelsOf(metric) === undefined)
        .map((metric) => `${metric} (${where})`),
    )
    expect(unknown).toEqual([])
  })

  it('every query uses only existing labels', () => {
    const unknown = promqlQueries.flatMap(({ where, expression }) => {
      const { metrics, labels } = partsOf(expression)
      const known = new Set([...commonLabels, ...metrics.flatMap((metric) => labelsOf(metric) ?? [])])
      return labels.filter((label) => !known.has(label)).map((label) => `${label} (${where})`)
    })
    expect(unknown).toEqual([])
  })
})

/** Returns the services that emit a metric; undefined when all do, or for a foreign metric. */
function emitters(metric: string): string[] | undefined {
  const services = emitted.get(metric)?.services
  return services?.length ? services : undefined
}

describe('every value that a query looks for', () => {
  const sources = ['packages', 'services']
    .flatMap((folder) => filesBelow(folder, '.ts'))
    .filter((path) => !path.endsWith('.test.ts'))
    .map(text)
    .join('\n')

  it('every query uses only possible label values', () => {
    const wrong = promqlQueries.flatMap(({ where, expression }) =>
      [...expression.matchAll(/\b(result|reason|limit|message_type|room_type|store)\s*(?:=~|=)\s*"([^"]*)"/g)]
        .flatMap(([, , values]) => (values as string).split('|'))
        .filter((value) => !sources.includes(`'${value}'`))
        .map((value) => `${value} (${where})`),
    )
    expect(wrong).toEqual([])
  })
})

describe('every query about one service', () => {
  it('a query about one service uses only metrics of that service', () => {
    const wrong = promqlQueries.flatMap(({ where, expression }) => {
      const service = /service="([\w-]+)"/.exec(expression)?.[1]
      if (!service) return []
      return partsOf(expression)
        .metrics.filter((metric) => emitters(metric)?.includes(service) === false)
        .map((metric) => `${metric} (${where})`)
    })
    expect(wrong).toEqual([])
  })
})

describe('the dashboards', () => {
  it('exactly the five dashboards are provisioned', () => {
    expect(dashboards.map(({ title }) => title).sort()).toEqual([
      'Chat Service',
      'Friend Service',
      'Infrastructure',
      'Media Service',
      'User Service',
    ])
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(5)
    const { datasources } = yaml<{ datasources: Array<{ uid: string; editable: boolean }> }>(
      'infrastructure/docker/grafana/provisioning/datasources/datasources.yml',
    )
    const used = dashboards.flatMap(({ panels }) =>
      panels.flatMap((panel) => (panel.targets ?? []).map((target) => target.datasource.uid)),
    )
    const known = datasources.map(({ uid }) => uid)
    expect([...new Set(used)].filter((uid) => !known.includes(uid))).toEqual([])
  })

  it.each(dashboards)('every panel of $title has a description and a unit', ({ panels }) => {
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      expect(panel.description?.length, panel.title).toBeGreaterThan(30)
      expect(panel.description, panel.title).toMatch(/[.:>]$/)
      expect(panel.targets?.length, panel.title).toBeGreaterThan(0)
      if (panel.type !== 'logs') expect(panel.fieldConfig?.defaults.unit, panel.title).toBeTruthy()
    }
  })

  it.each(dashboards)('the panels of $title do not overlap', ({ panels }) => {
    const cells = new Set<string>()
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x},${y}`), title).toBe(false)
          cells.add(`${x},${y}`)
        }
      }
    }
  })
})

describe('docs/observability', () => {
  it('docs/observability lists exactly our metrics', () => {
    const table = text('docs/observability/README.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) =>
        [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name as string),
      )
    const baseOf = (name: string) => name.replace(/_(bucket|sum|count)$/, '')
    const isHistogram = (name: string) => emitted.has(`${baseOf(name)}_bucket`)
    const ours = [...emitted.keys()].map((name) => (isHistogram(name) ? baseOf(name) : name))
    expect(table.sort()).toEqual([...new Set(ours)].sort())
  })
})
