import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { readPositionals } from '@bigtech/service-kit'
import { type CpuProfile, flameGraph } from './flame-graph.ts'

const usage = `Usage: node tests/load/flames.ts [TARGET]
Draws a flame graph of each CPU profile in the directory LOAD_CPU_PROFILES, from the first HTTP request on, as SVG into TARGET
(default: docs/images/flames). Benchmarks write such profiles into that directory when they start a service:

    LOAD_CPU_PROFILES=.devstack/profiles npm run load -- send reads fanout flames
    LOAD_CPU_PROFILES=.devstack/profiles node tests/load/flames.ts`

const root = join(import.meta.dirname, '..', '..')
const [target = join(root, 'docs/images/flames')] = readPositionals(usage, 1)
const folder = process.env.LOAD_CPU_PROFILES
const extension = '.cpuprofile'
const files =
  folder && existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(extension)) : []
if (!folder || files.length === 0) {
  console.error(
    `There are no CPU profiles in ${folder || 'LOAD_CPU_PROFILES, which is not set'}.\n\n${usage}`,
  )
  process.exit(1)
}
mkdirSync(target, { recursive: true })
for (const file of files) {
  const name = file.slice(0, -extension.length)
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile
  const svg = flameGraph(profile, name, 'parserOnIncoming')
  writeFileSync(join(target, `${name}.svg`), svg)
  console.log(`${relative(root, join(target, `${name}.svg`))}: ${(svg.length / 1_024).toFixed(0)} KiB`)
}
