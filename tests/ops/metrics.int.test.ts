import { describe, expect, it } from 'vitest'
import { emittedMetrics } from './emitted-metrics.ts'
import { foreignMetrics } from './exporter-metrics.ts'
import { partsOf } from './promql.ts'
import { promqlQueries, rules } from './queries.ts'
import { runningServices } from './running.ts'

/** Series that begin with the first request of their path and status, and labels that Prometheus adds or that every series has. */
const ofRequests = /^http_request\w* (method|path|status|le)=|^\w+ (job|instance|service)=/

interface Scrape {
  names: Set<string>
  /** Labels seen on the samples of a series. */
  labels: Map<string, Set<string>>
  /** Every sample's name and labels: `messages_sent_total message_type=text`. */
  values: Set<string>
}

/** Parses the text format: a metric without samples still has its TYPE line. */
function read(body: string, into: Scrape): void {
  for (const line of body.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)/.exec(line)
    if (type) {
      const [, name, kind] = type as unknown as [string, string, string]
      for (const suffix of kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
        into.names.add(name + suffix)
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line)
    if (!sample?.[1] || line.startsWith('#')) continue
    const seen = into.labels.get(sample[1]) ?? new Set()
    for (const [, label, value] of (sample[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)) {
      seen.add(label as string)
      into.values.add(`${sample[1]} ${label}=${value}`)
    }
    into.labels.set(sample[1], seen)
  }
}

async function scrapeAll(): Promise<Scrape> {
  const scrape: Scrape = { names: new Set(), labels: new Map(), values: new Set() }
  for (const { url } of runningServices()) {
    const answer = await fetch(`${url}/metrics`)
    expect(answer.status, url).toBe(200)
    read(await answer.text(), scrape)
  }
  return scrape
}

describe('the metrics of the running services', () => {
  it('the metrics of the running services include everything used by dashboards and rules', async () => {
    const { names } = await scrapeAll()
    const recorded = new Set(rules.map((rule) => rule.record))
    const ofExporters = (name: string) => name in foreignMetrics && !/^(process|nodejs)_/.test(name)
    const missing = promqlQueries.flatMap(({ where, expression }) =>
      partsOf(expression)
        .metrics.filter((name) => !recorded.has(name) && !ofExporters(name) && !names.has(name))
        .map((name) => `${name} (${where})`),
    )
    expect(missing).toEqual([])
  })

  it('every label value that a dashboard or a rule names has a series, whether or not it ever happened', async () => {
    const { values } = await scrapeAll()
    const own = emittedMetrics()
    const missing = promqlQueries.flatMap(({ where, expression }) =>
      [...expression.matchAll(/(\w+)\{([^}]*)\}/g)]
        .filter(([, name]) => own.has(name as string))
        .flatMap(([, name, selector]) =>
          [...(selector as string).matchAll(/(\w+)=~?"([^"]*)"/g)].flatMap(([, label, pattern]) =>
            (pattern as string).split('|').map((value) => `${name} ${label}=${value}`),
          ),
        )
        .filter((series) => !ofRequests.test(series) && !values.has(series))
        .map((series) => `${series} (${where})`),
    )
    expect(missing).toEqual([])
  })

  it('the metrics have the labels declared in the source, and the service', async () => {
    const { labels } = await scrapeAll()
    const defined = emittedMetrics()
    let compared = 0
    for (const [name, seen] of labels) {
      const expected = defined.get(name)?.labels
      if (!expected) continue
      compared++
      expect([...seen], name).toContain('service')
      expect(
        [...seen].filter((label) => label !== 'service' && !expected.includes(label)),
        name,
      ).toEqual([])
    }
    expect(compared).toBeGreaterThan(10)
  })

  it('the metrics contain the name of every service', async () => {
    for (const { name, url } of runningServices()) {
      const body = await (await fetch(`${url}/metrics`)).text()
      expect(body, url).toContain(`service="${name}"`)
    }
  })
})
