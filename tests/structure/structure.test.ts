import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

it('the structure rules catch a service that reaches into another, and a use case that knows a store', async () => {
  const check = run(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      '--config',
      join(root, '.dependency-cruiser.cjs'),
      '--ts-config',
      join(root, 'tsconfig.json'),
      'services',
    ],
    { cwd: join(import.meta.dirname, 'seeded') },
  )
  const { stdout } = await check.then(
    () => ({ stdout: 'no violation found' }),
    (failure: { stdout: string }) => failure,
  )
  expect(stdout).toContain('services-stay-apart')
  expect(stdout).toContain('use-cases-know-no-framework')
})
