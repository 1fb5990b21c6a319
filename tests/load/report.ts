import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'

/** Returns one line about the run: date, commit, machine, Node. */
export function describeRun(root: string, now = new Date()): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--untracked-files=no') !== ''
  const cores = cpus()
  const machine = `${cores.length} cores (${cores[0]?.model.trim() ?? 'unknown'}), Linux ${release()}, Node ${process.version}`
  return `${now.toISOString().slice(0, 10)}, commit ${git('rev-parse', '--short=9', 'HEAD')}${isChanged ? ' with changes' : ''}, ${machine}`
}

/** What a figure of a benchmark should be. */
export interface FigureAim {
  readonly what: string
  readonly figure: number
  readonly atLeast?: number
  readonly atMost?: number
}

/** Returns a table in Markdown with each figure beside its aim. */
export function aimsOf(aims: readonly FigureAim[]): string {
  const lines = aims.map(({ what, figure, atLeast, atMost }) => {
    const isMet = atLeast === undefined ? figure <= atMost! : figure >= atLeast
    const aim = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`
    return `| ${what} | ${Number(figure.toPrecision(3))} | ${aim} | ${isMet ? 'yes' : 'no'} |`
  })
  return `| figure | here | aim | met |\n|---|---|---|---|\n${lines.join('\n')}`
}

/** Returns the section of a benchmark in Markdown: its output, below the line about the run. */
export function sectionOf(run: string, output: string): string {
  const text = output.trim()
  // Not every benchmark prints tables.
  return `_${run}_\n\n${text.includes('|---') ? text : `\`\`\`text\n${text}\n\`\`\``}\n`
}

/**
 * Returns the document with the sections of these benchmarks replaced, each between `<!-- load: NAME -->` and `<!-- end -->`.
 *
 * @throws Error when the document has no place for a benchmark
 */
export function withSections(document: string, sections: ReadonlyMap<string, string>): string {
  let result = document
  for (const [name, section] of sections) {
    const place = new RegExp(`<!-- load: ${name} -->\n[^]*?<!-- end -->`)
    if (!place.test(result)) throw new Error(`docs/performance.md has no place for "${name}".`)
    result = result.replace(place, () => `<!-- load: ${name} -->\n${section}<!-- end -->`)
  }
  return result
}
