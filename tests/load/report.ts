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
