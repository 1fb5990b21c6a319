import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, runCommand } from '../../packages/service-kit/src/command.ts'

const usage = `Usage: node scripts/api/check-changes.ts BASE
Prints what has changed in the API since the git revision BASE and fails on what breaks a client: something is gone,
required now, or of another type, without having been deprecated until its sunset. Needs Go (runs oasdiff).`

const tool = 'github.com/oasdiff/oasdiff@v1.37.0'
const root = join(import.meta.dirname, '../..')
const document = 'packages/web-client/public/api/openapi.json'

function check(base: string): number {
  const known = spawnSync('git', ['rev-parse', '--verify', '--quiet', `${base}^{commit}`], { cwd: root })
  if (known.status !== 0) throw new CommandError(`There is no revision ${base}.`)
  const before = spawnSync('git', ['show', `${base}:${document}`], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (before.status !== 0) {
    console.log(`${base} has no ${document}: nothing to compare with.`)
    return 0
  }
  const old = join(mkdtempSync(join(tmpdir(), 'api-')), 'openapi.json')
  writeFileSync(old, before.stdout)
  const run = (...args: string[]) =>
    spawnSync('go', ['run', tool, ...args, old, document], { cwd: root, stdio: 'inherit' }).status ?? 1
  run('changelog', '--format', 'markdown')
  return run('breaking', '--fail-on', 'ERR')
}

await runCommand({
  usage,
  maxPositionals: 1,
  run: async ({ positionals: [base] }) => {
    if (base === undefined) throw new CommandError('BASE is missing. See --help.')
    return check(base)
  },
})
