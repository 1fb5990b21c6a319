import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './files.ts'

export interface Block {
  name: string
  label?: string
  attributes: Record<string, string>
  blocks: Block[]
}

export interface Entry {
  labels: Record<string, string>
  line: string
  /** Set by the container runtime unless a stage overrides it. */
  timestamp: string
}

export const alloyConfig = 'infrastructure/docker/alloy/config.alloy'

/** Parses the collector's configuration with Alloy's parser. */
export function parseAlloy(parser: string): Block[] {
  parsed ??= runParser(parser)
  return parsed
}

let parsed: Block[] | undefined

function runParser(parser: string): Block[] {
  const result = spawnSync(parser, [join(root, alloyConfig)], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(result.stderr)
  return JSON.parse(result.stdout) as Block[]
}

export function component(blocks: readonly Block[], name: string): Block {
  const found = blocks.find((block) => block.name === name)
  if (!found) throw new Error(`no ${name} in ${alloyConfig}`)
  return found
}

const stringOf = (source: string | undefined): string =>
  source === undefined ? '' : (JSON.parse(source) as string)

/** Parses the quoted pairs of `{ a = "b", ... }`. */
const mapOf = (source: string | undefined): Array<[string, string]> =>
  [...(source ?? '').matchAll(/(\w+)\s*=\s*"([^"]*)"/g)].map(([, key, value]) => [
    key as string,
    value || (key as string),
  ])

const listOf = (source: string | undefined): string[] =>
  [...(source ?? '').matchAll(/"([^"]*)"/g)].map(([, value]) => value as string)

/** Applies `discovery.relabel` to a container's meta labels; rejects unsupported rules. */
export function relabel(block: Block, meta: Record<string, string>): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const rule of block.blocks) {
    if (Object.keys(rule.attributes).some((key) => !['source_labels', 'target_label'].includes(key))) {
      throw new Error('this test does not know that kind of rule')
    }
    const value = listOf(rule.attributes.source_labels)
      .map((name) => meta[name] ?? '')
      .join(';')
    // An empty label does not exist.
    if (value) labels[stringOf(rule.attributes.target_label)] = value
  }
  return labels
}

/** Runs an entry through the stages of `loki.process`; rejects unsupported stages. */
export function processEntry(stages: readonly Block[], entry: Entry): Entry {
  let current = { ...entry, labels: { ...entry.labels } }
  const extracted: Record<string, unknown> = {}
  for (const stage of stages) {
    switch (stage.name) {
      case 'stage.match':
        if (matches(stringOf(stage.attributes.selector), current.labels))
          current = processEntry(stage.blocks, current)
        break
      case 'stage.json':
        extractJson(stage, current.line, extracted)
        break
      case 'stage.labels':
        for (const [label, source] of mapOf(stage.attributes.values)) {
          if (extracted[source] !== undefined) current.labels[label] = String(extracted[source])
        }
        break
      case 'stage.timestamp': {
        const value = extracted[stringOf(stage.attributes.source)]
        if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) current.timestamp = value
        break
      }
      case 'stage.replace':
        current.line = replaceGroup(stage, current.line)
        break
      case 'stage.label_drop':
        for (const label of listOf(stage.attributes.values)) delete current.labels[label]
        break
      default:
        throw new Error(`this test does not know ${stage.name}`)
    }
  }
  return current
}

/** Replaces the match of the expression's only group. */
function replaceGroup(stage: Block, line: string): string {
  const source = stringOf(stage.attributes.expression)
  // Go's inline flag for the whole expression, which JavaScript takes separately.
  const expression = new RegExp(source.replace(/^\(\?i\)/, ''), source.startsWith('(?i)') ? 'dgi' : 'dg')
  const spans = [...line.matchAll(expression)].map((match) => match.indices?.[1] as [number, number])
  return spans.reduceRight(
    (text, [start, end]) => text.slice(0, start) + stringOf(stage.attributes.replace) + text.slice(end),
    line,
  )
}

function extractJson(stage: Block, line: string, extracted: Record<string, unknown>): void {
  try {
    const content = JSON.parse(line) as Record<string, unknown>
    for (const [name, path] of mapOf(stage.attributes.expressions)) extracted[name] = content[path]
  } catch {
    // A line that is not JSON is unchanged.
  }
}

/** Matches `{label="value", other=~"a|b"}` against labels; a pattern must match the whole value, as in Loki. */
export function matches(selector: string, labels: Record<string, string>): boolean {
  return [...selector.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].every(([, label, operator, value]) => {
    const actual = labels[label as string] ?? ''
    const fits = operator?.includes('~') ? new RegExp(`^(?:${value})$`).test(actual) : actual === value
    return operator?.startsWith('!') ? !fits : fits
  })
}

/** Returns whether a LogQL query of the used kinds finds an entry: a selector, `|=`, `| json`, label filters. */
export function finds(query: string, entry: Entry): boolean {
  const [, selector, pipeline] = /^(\{[^}]*\})(.*)$/s.exec(query) ?? []
  if (selector === undefined || pipeline === undefined) throw new Error(`not a log query: ${query}`)
  if (!matches(selector, entry.labels)) return false
  let fields: Record<string, string> = { ...entry.labels }
  for (const [, stage] of pipeline.matchAll(/\|\s*(=\s*"[^"]*"|json|\w+\s*(?:=~|!~|!=|=)\s*"[^"]*")/g)) {
    const text = stage as string
    if (text === 'json') fields = { ...fields, ...(JSON.parse(entry.line) as Record<string, string>) }
    else if (text.startsWith('=')) {
      if (!entry.line.includes(text.slice(text.indexOf('"') + 1, -1))) return false
    } else if (!matches(`{${text}}`, fields)) return false
  }
  return true
}
