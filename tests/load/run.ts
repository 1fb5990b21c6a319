import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPositionals } from '@bigtech/service-kit'
import { describeRun, sectionOf } from './report.ts'

const benchmarks = [
  'idle',
  'login',
  'send',
  'reads',
  'account-reads',
  'search',
  'overload',
  'growth',
  'processes',
  'fanout',
  'room-list',
  'tracing',
  'page',
  'media',
]
/** Run only when named: one downloads and builds other programs, one draws what the others have written. */
const onRequest = ['peers', 'flames']

const usage = `Usage: node tests/load/run.ts [BENCHMARK ...]
All benchmarks, one after the other, each beside its baseline in the same run; takes about half an hour,
of which the media benchmark takes six minutes and the search ten.

    npm run load                 needs a running npm start
    npm run load -- send login   only these
    npm run load -- peers        beside Tinode, FastAPI, Centrifugo and Nchan, which it fetches; ten minutes
    npm run load -- flames       flame graphs, see node tests/load/flames.ts --help

Keeps the output in .devstack/load; "node tests/load/write-docs.ts" writes it into docs/performance.md.`

const known = [...benchmarks, ...onRequest]
const chosen = readPositionals(usage, known.length)
const unknown = chosen.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`There is no benchmark "${unknown.join(', ')}": ${known.join(', ')}.`)
  process.exit(2)
}
const env = { ...process.env, USER_SERVICE_URL: process.env.BIGTECH_USER_URL }
const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.devstack', 'load')
mkdirSync(folder, { recursive: true })
const run = describeRun(root)
for (const name of chosen.length > 0 ? chosen : benchmarks) {
  console.log(`\n## ${name}\n`)
  const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
    stdio: ['inherit', 'pipe', 'inherit'],
    env,
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    process.stdout.write(text)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (output.trim() !== '' && name !== 'flames')
    writeFileSync(join(folder, `${name}.md`), sectionOf(run, output))
  if (code !== 0) process.exitCode = 1
}
