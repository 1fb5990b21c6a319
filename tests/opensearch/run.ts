import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheRoot, openSearchProgram, run } from '@bigtech/devstack'
import { readPositionals } from '@bigtech/service-kit'
import { freePort, waitFor } from '@bigtech/testkit'

const usage = `Usage: node tests/opensearch/run.ts
Runs the tests of the message search against OpenSearch, which is fetched the first time (44 MB).

    npm run opensearch           needs a running npm start`

readPositionals(usage)
const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'bigtech-opensearch-'))
const [port, transportPort] = [await freePort(), await freePort()]
const { command, args, env } = await openSearchProgram(cacheRoot(), { folder, port, transportPort })
// OpenSearch refuses to run as root.
const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined
if (account) await run('chown', ['-R', `${account.uid}:${account.gid}`, folder])
const server = spawn(command, args, { cwd: folder, env, ...account, stdio: ['ignore', 'inherit', 'inherit'] })
try {
  const url = `http://127.0.0.1:${port}`
  await waitFor(
    async () => {
      if (server.exitCode !== null) throw new Error(`OpenSearch ended with ${server.exitCode}`)
      return (await fetch(url).catch(() => undefined))?.ok
    },
    { timeoutMs: 120_000, what: 'OpenSearch' },
  )
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const tests = spawn(
    process.execPath,
    [vitest, 'run', '--project', 'integration', 'opensearch.int.test.ts'],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, OPENSEARCH_TEST_URL: url },
    },
  )
  const [code] = (await once(tests, 'exit')) as [number | null]
  process.exitCode = code ?? 1
} finally {
  server.kill('SIGTERM')
  if (server.exitCode === null) await once(server, 'exit')
  rmSync(folder, { recursive: true, force: true })
}
