import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPositionals } from '@bigtech/service-kit'
import { mongodbDrill } from './mongodb-drill.ts'
import { mysqlDrill } from './mysql-drill.ts'
import { problemCount } from './steps.ts'

const drills = { mysql: mysqlDrill, mongodb: mongodbDrill }

const usage = `Usage: npm run restore-drill [-- mysql|mongodb]
Backs a store up, changes more, loses the store, restores the backup as docs/deployment says, and checks that
nothing contradicts anything afterwards. Without a name: every store. Needs a running npm start, whose data it replaces.
Takes about two minutes for each store.`

const wanted = readPositionals(usage, Object.keys(drills).length)
const unknown = wanted.find((name) => !Object.hasOwn(drills, name))
if (unknown !== undefined) {
  console.error(`Unknown store: ${unknown}. ${usage}`)
  process.exit(2)
}

for (const [name, drill] of Object.entries(drills)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`Losing ${name}`)
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-restore-'))
  try {
    await drill(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
console.log(problemCount() === 0 ? 'The restore holds.' : `${problemCount()} problems`)
process.exitCode = problemCount() === 0 ? 0 : 1
