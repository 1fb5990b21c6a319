import { spawnSync } from 'node:child_process'
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bundleService } from '../../infrastructure/docker/images/bundle.ts'
import { root, serviceNames, text } from '../ops/files.ts'

const MB = 1_000_000
/** Size limit of an image; media-service includes the programs and data for text recognition. */
const limitBytes = (name: string) => (name === 'media-service' ? 361 : 251) * MB
/** gcr.io/distroless/cc-debian12, uncompressed, rounded up: glibc, libstdc++, certificates, time zones. */
const BASE_BYTES = 25 * MB

const dockerfile = 'infrastructure/docker/service/Dockerfile'
const folders = mkdtempSync(join(tmpdir(), 'bigtech-images-'))
afterAll(() => rmSync(folders, { recursive: true, force: true }), 60_000)

function sizeOf(path: string): number {
  const info = lstatSync(path)
  if (!info.isDirectory()) return info.size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

const isShipped = (path: string): boolean =>
  !/(^|\/)(node_modules|coverage|dist)(\/|$)/.test(path.slice(root.length)) && !/\.test\.ts$|\.md$/.test(path)

/** Creates /app like the Dockerfile: bundled processes, pruned production dependencies and the sources. */
async function productionTree(name: string): Promise<string> {
  const app = join(folders, name)
  mkdirSync(app)
  const copy = (path: string) => {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    cpSync(join(root, path), join(app, path), { recursive: true, filter: isShipped })
  }
  const parts = [
    'packages/cli',
    'packages/contracts',
    'packages/kafka',
    'packages/outbox',
    'packages/service-kit',
    'packages/stores',
    `services/${name}`,
  ]
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc']) copy(file)
  for (const part of parts) copy(`${part}/package.json`)
  const install = spawnSync(
    'npx',
    // The version in the Dockerfile.
    ['-y', `pnpm@${/pnpm@([\d.]+)/.exec(text(dockerfile))?.[1]}`, 'install', '--prod']
      .concat(['--frozen-lockfile', '--prefer-offline'])
      .concat(['--filter', `@bigtech/${name}...`, '--filter', '@bigtech/cli...']),
    { cwd: app, encoding: 'utf8', env: { ...process.env, CI: 'true' } },
  )
  expect(install.status, install.stdout + install.stderr).toBe(0)
  const prune = spawnSync(join(root, 'infrastructure/docker/images/prune.sh'), [app], { encoding: 'utf8' })
  expect(prune.status, prune.stderr).toBe(0)
  for (const part of parts) copy(`${part}/src`)
  await bundleService(join(app, 'services', name))
  return app
}

describe('the tree of an image', () => {
  it.each(serviceNames)(
    '%s stays within its size, contains no development package, and loads completely',
    { timeout: 120_000 },
    async (name) => {
      const app = await productionTree(name)
      const bytes = BASE_BYTES + statSync(process.execPath).size + sizeOf(app)
      console.info(
        `${name}: about ${Math.round(bytes / MB)} MB, ${Math.round(sizeOf(app) / MB)} MB of it /app`,
      )
      expect(bytes).toBeLessThan(limitBytes(name))

      const packages = readdirSync(join(app, 'node_modules/.pnpm'))
      expect(
        packages.filter((entry) => /^(vitest|typescript|prisma|@biomejs|playwright)/.test(entry)),
      ).toEqual([])

      if (name === 'media-service') {
        // A package with a binary per platform, loaded only by the worker's child process.
        const pictures = spawnSync(
          process.execPath,
          ['-e', "import('sharp').then(({ versions }) => versions)"],
          {
            cwd: join(app, 'services', name),
            encoding: 'utf8',
            env: {},
          },
        )
        expect(pictures.status, pictures.stderr).toBe(0)
      }

      // Without a configuration it must fail at the configuration, which proves that every import was found.
      const start = spawnSync(
        process.execPath,
        [
          '--import',
          '@bigtech/service-kit/tracing',
          name === 'media-service' ? 'dist/worker.js' : 'dist/server.js',
        ],
        {
          cwd: join(app, 'services', name),
          encoding: 'utf8',
          env: { PATH: process.env.PATH },
          timeout: 30_000,
        },
      )
      expect(start.stderr).toContain('Configuration: ')
      expect(start.status).toBe(1)
    },
  )
})
