import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPositionals } from '@bigtech/service-kit'
import { withSections } from './report.ts'

const usage = `Usage: node tests/load/write-docs.ts
Writes the results of the last "npm run load" into docs/performance.md. A benchmark that has not run keeps its section.`

readPositionals(usage)
const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.devstack', 'load')
const names = existsSync(folder) ? readdirSync(folder).map((file) => file.replace(/\.md$/, '')) : []
if (names.length === 0) {
  console.error('There are no results: run "npm run load" first.')
  process.exit(1)
}
const file = join(root, 'docs', 'performance.md')
const sections = new Map(names.map((name) => [name, readFileSync(join(folder, `${name}.md`), 'utf8')]))
writeFileSync(file, withSections(readFileSync(file, 'utf8'), sections))
console.log(`docs/performance.md: ${names.join(', ')}`)
