import { filesBelow, text } from './files.ts'

/** Labels that Prometheus or the registry adds to every series of ours. */
export const commonLabels = ['service', 'server', 'instance', 'job']

const definition = /new (Counter|Gauge|Histogram|Summary)(?:<[^>]*>)?\(\{/g

/** The text between a brace and its partner. */
function objectAt(source: string, start: number): string {
  let depth = 0
  for (let index = start; index < source.length; index++) {
    if (source[index] === '{') depth++
    if (source[index] === '}' && --depth === 0) return source.slice(start, index + 1)
  }
  return source.slice(start)
}

/** A name in quotes that can only be a metric's: metrics made from a table are not constructed by name. */
const nameInTable = /'([a-z]+(?:_[a-z]+)*_(?:total|seconds|count|events|open|up|records))'/g

function labelsOf(body: string, source: string): string[] {
  const list = /labelNames: \[([^\]]*)\]/.exec(body)?.[1]
  // `labelNames,`: a constant of the same file.
  const shared = /\blabelNames\b(?!:)/.test(body) ? /labelNames = \[([^\]]*)\]/.exec(source)?.[1] : undefined
  return [...(list ?? shared ?? '').matchAll(/'(\w+)'/g)].map(([, label]) => label as string)
}

/**
 * The metrics that our code defines, with their labels, read from the source: also those that no request has
 * touched yet, which a scrape would show without labels.
 */
export function emittedMetrics(): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const files = ['packages', 'services'].flatMap((folder) => filesBelow(folder, '.ts'))
  for (const path of files.filter((name) => !name.endsWith('.test.ts') && !name.includes('/generated/'))) {
    const source = text(path)
    if (!source.includes("from 'prom-client'")) continue
    for (const [, name] of source.matchAll(nameInTable))
      if (!found.has(name as string)) found.set(name as string, [])
    for (const match of source.matchAll(definition)) {
      const body = objectAt(source, match.index + match[0].length - 1)
      const name = /name: '(\w+)'/.exec(body)?.[1]
      if (!name) continue
      const labels = labelsOf(body, source)
      const names = match[1] === 'Histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
      for (const series of names) {
        const own = series.endsWith('_bucket') ? [...labels, 'le'] : labels
        found.set(series, [...new Set([...(found.get(series) ?? []), ...own])])
      }
    }
  }
  return found
}
