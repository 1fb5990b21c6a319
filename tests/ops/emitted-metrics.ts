import { filesBelow, text } from './files.ts'

/** Labels that Prometheus or the registry adds to every series of ours. */
export const commonLabels = ['service', 'server', 'instance', 'job']

const definition = /new (Counter|Gauge|Histogram|Summary)(?:<[^>]*>)?\(\{/g

/** Returns the text between a brace and its partner. */
function objectAt(source: string, start: number): string {
  let depth = 0
  for (let index = start; index < source.length; index++) {
    if (source[index] === '{') depth++
    if (source[index] === '}' && --depth === 0) return source.slice(start, index + 1)
  }
  return source.slice(start)
}

/** A quoted metric name: metrics created from a table are not constructed by name. */
const nameInTable = /'([a-z]+(?:_[a-z]+)*_(?:total|seconds|count|events|open|up|records))'/g

function labelsOf(body: string, source: string): string[] {
  const list = /labelNames: \[([^\]]*)\]/.exec(body)?.[1]
  // `labelNames,`: a constant of the same file.
  const shared = /\blabelNames\b(?!:)/.test(body) ? /labelNames = \[([^\]]*)\]/.exec(source)?.[1] : undefined
  return [...(list ?? shared ?? '').matchAll(/'(\w+)'/g)].map(([, label]) => label as string)
}

export interface EmittedMetric {
  labels: string[]
  /** The services whose code defines it; empty when a shared package does, for all services. */
  services: string[]
}

/**
 * Returns the metrics defined in the source with their labels, including those that a scrape would not show
 * yet.
 */
export function emittedMetrics(): Map<string, EmittedMetric> {
  const found = new Map<string, EmittedMetric>()
  const files = ['packages', 'services'].flatMap((folder) => filesBelow(folder, '.ts'))
  for (const path of files.filter((name) => !name.endsWith('.test.ts') && !name.includes('/generated/'))) {
    const source = text(path)
    if (!source.includes("from 'prom-client'")) continue
    const service = /^services\/([^/]+)\//.exec(path)?.[1]
    for (const [name, labels] of definitionsIn(source)) {
      const known = found.get(name)
      found.set(name, {
        labels: [...new Set([...(known?.labels ?? []), ...labels])],
        services: [...new Set([...(known?.services ?? []), ...(service ? [service] : [])])],
      })
    }
  }
  return found
}

function definitionsIn(source: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [, name] of source.matchAll(nameInTable)) found.set(name as string, [])
  for (const match of source.matchAll(definition)) {
    const body = objectAt(source, match.index + match[0].length - 1)
    // `name,`: a constant of the same file.
    const name = (/\bname: '(\w+)'/.exec(body) ??
      (/\bname,/.test(body) ? /\bname = '(\w+)'/.exec(source) : null))?.[1]
    if (!name) continue
    const labels = labelsOf(body, source)
    if (match[1] === 'Histogram') found.delete(name)
    if (match[1] !== 'Histogram') found.set(name, labels)
    else
      for (const end of ['bucket', 'sum', 'count'])
        found.set(`${name}_${end}`, end === 'bucket' ? [...labels, 'le'] : labels)
  }
  return found
}
