import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { findProgram } from '../paths.ts'
import { UserError } from '../problems.ts'
import type { Say } from '../progress.ts'
import { run } from '../run.ts'

/** The Debian suite for programs newer than in the machine's release. */
export const NEWER_SUITE = 'forky'

export interface DebianRequest {
  packages: readonly string[]
  /** A suite other than the machine's, for example with a newer PostgreSQL. */
  suite?: string | undefined
  /** Filters the packages of the dependency closure. */
  isWanted?: ((name: string) => boolean) | undefined
  /** Advice for a machine without apt. */
  otherwise: string
}

/**
 * Unpacks Debian packages into a private directory: no installation, no root, no changes to the system. apt
 * verifies signatures and checksums; its lists and downloads stay in the directory until everything is done,
 * so that an interrupted download resumes.
 */
export async function unpackDebian(folder: string, request: DebianRequest, say: Say): Promise<void> {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (!findProgram(tool)) throw new UserError(request.otherwise)
  }
  const apt = join(folder, '.apt')
  const env = await privateApt(apt, request.suite)
  say('reading the package lists')
  await run('apt-get', ['update', '-q'], { env, onLine: (line) => sayFetch(line, say) })
  const names = await closure(env, request)
  const archives = join(apt, 'archives')
  mkdirSync(archives, { recursive: true })
  let count = 0
  await run('apt-get', ['download', '-q', ...names], {
    env,
    cwd: archives,
    onLine: (line) => {
      const match = /^Get:\d+ \S+ \S+ (?:\S+ )?(\S+) .*\[(.*)\]$/.exec(line)
      if (match) say(`downloading ${++count} of ${names.length}: ${match[1]} (${match[2]})`)
    },
  })
  for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
    say(`unpacking ${file.split('_')[0]}`)
    await run('dpkg-deb', ['-x', join(archives, file), folder])
  }
  relink(folder, folder)
  rmSync(apt, { recursive: true, force: true })
}

/** Redirects absolute links like /etc/java-17/... into the private directory, relative so that it can be moved. */
function relink(folder: string, root: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) relink(path, root)
    if (!entry.isSymbolicLink()) continue
    const target = readlinkSync(path)
    if (!target.startsWith('/') || !existsSync(join(root, target))) continue
    rmSync(path)
    symlinkSync(relative(folder, join(root, target)), path)
  }
}

function sayFetch(line: string, say: Say): void {
  const match = /^Get:\d+ \S+ (\S+ \S+ \S+)(?:.*)\[(.*)\]$/.exec(line)
  if (match) say(`package list ${match[1]} (${match[2]})`)
}

/** Returns the packages to fetch: the dependencies missing on this machine (for a foreign suite: all of them). */
async function closure(env: NodeJS.ProcessEnv, request: DebianRequest): Promise<string[]> {
  const args = ['install', '--print-uris', '-qq', '-y', '--no-install-recommends', ...request.packages]
  const listing = await run('apt-get', args, { env })
  const names = listing
    .split('\n')
    .map((line) => /^'[^']*' (\S+?)_/.exec(line)?.[1])
    .filter((name): name is string => name !== undefined)
  return [...new Set([...names, ...(request.suite ? [] : request.packages)])].filter(
    request.isWanted ?? (() => true),
  )
}

async function privateApt(apt: string, suite: string | undefined): Promise<NodeJS.ProcessEnv> {
  for (const part of [
    'etc/apt.conf.d',
    'etc/preferences.d',
    'lists/partial',
    'cache/archives/partial',
    'state',
  ]) {
    mkdirSync(join(apt, part), { recursive: true })
  }
  writeFileSync(join(apt, 'etc', 'sources.list'), await sources(suite))
  const status = suite ? join(apt, 'state', 'status') : '/var/lib/dpkg/status'
  if (suite) writeFileSync(status, '')
  const acquire = (await run('apt-config', ['dump']))
    .split('\n')
    .filter((line) => /^Acquire::(http|https|ftp|ForceIPv4|ForceIPv6|Retries)/i.test(line))
  const config = join(apt, 'apt.conf')
  writeFileSync(
    config,
    [
      ...acquire,
      // A testing suite's release file is valid for a week only; its signature is still verified.
      ...(suite ? ['Acquire::Check-Valid-Until "false";'] : []),
      `Dir::Etc "${join(apt, 'etc')}";`,
      `Dir::Etc::parts "${join(apt, 'etc/apt.conf.d')}";`,
      'Dir::Etc::trusted "/etc/apt/trusted.gpg";',
      'Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";',
      `Dir::State "${join(apt, 'state')}";`,
      `Dir::State::lists "${join(apt, 'lists')}";`,
      `Dir::State::status "${status}";`,
      `Dir::Cache "${join(apt, 'cache')}";`,
      'Acquire::Languages "none";',
      'Acquire::Retries "2";',
      'APT::Sandbox::User "root";',
      'Debug::NoLocking "1";',
      'quiet::NoProgress "1";',
      // A list that could not be fetched must be an error, not a warning.
      'APT::Update::Error-Mode "any";',
      '',
    ].join('\n'),
  )
  return { ...process.env, APT_CONFIG: config, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
}

const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg'
const DEBIAN_MIRROR = 'http://deb.debian.org/debian/'

/** Returns the machine's own mirror and release, without third-party sources. */
async function sources(suite: string | undefined): Promise<string> {
  const release = releaseName()
  const rows = (
    await run('apt-get', [
      'indextargets',
      '--format',
      '$(REPO_URI) $(RELEASE) $(COMPONENT)',
      'Created-By: Packages',
    ])
  )
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter((row) => row.length === 3) as Array<[string, string, string]>
  const own = rows.filter(([, name]) => name === release || name.startsWith(`${release}-`))
  if (suite === undefined) {
    if (own.length === 0)
      throw new UserError(`apt knows no source for ${release}: run "apt-get update" and try again.`)
    const key = existsSync(DEBIAN_KEYS) && isDebian() ? `[signed-by=${DEBIAN_KEYS}] ` : signedBy()
    return own.map(([uri, name, component]) => `deb ${key}${uri} ${name} ${component}\n`).join('')
  }
  if (!existsSync(DEBIAN_KEYS)) {
    throw new UserError(
      'Debian’s signing keys are missing: install the package debian-archive-keyring, or use Docker.',
    )
  }
  const mirror = isDebian() ? own.find(([uri]) => !uri.includes('security'))?.[0] : undefined
  return `deb [signed-by=${DEBIAN_KEYS}] ${mirror ?? DEBIAN_MIRROR} ${suite} main\n`
}

function osRelease(): Record<string, string> {
  const lines = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8').split('\n') : []
  return Object.fromEntries(
    lines.map((line) => line.split('=')).map(([key, value]) => [key, (value ?? '').replaceAll('"', '')]),
  )
}

function releaseName(): string {
  return osRelease().VERSION_CODENAME ?? 'stable'
}

function isDebian(): boolean {
  return osRelease().ID === 'debian'
}

function signedBy(): string {
  const ubuntu = '/usr/share/keyrings/ubuntu-archive-keyring.gpg'
  return existsSync(ubuntu) ? `[signed-by=${ubuntu}] ` : ''
}

const triplets: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/** Returns the directory name of libraries on this machine, for example x86_64-linux-gnu. */
export function triplet(): string {
  const name = triplets[process.arch]
  if (!name) throw new UserError(`There are no packages for ${process.arch}: use Docker.`)
  return name
}

/** Returns the name of the loader beside the C library, which starts programs of a newer suite. */
export function loaderName(): string {
  return process.arch === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2'
}

/** Returns the environment in which a program of an unpacked directory finds its libraries. */
export function libraryEnv(folder: string, extra: readonly string[] = []): NodeJS.ProcessEnv {
  const paths = [`usr/lib/${triplet()}`, `lib/${triplet()}`, ...extra].map((path) => join(folder, path))
  return { ...process.env, LD_LIBRARY_PATH: paths.join(':') }
}

/** Throws when a program of an unpacked directory lacks a library. */
export async function requireLibraries(program: string, env: NodeJS.ProcessEnv): Promise<void> {
  const missing = (await run('ldd', [program], { env }))
    .split('\n')
    .filter((line) => line.includes('not found'))
  if (missing.length === 0) return
  const names = missing.map((line) => line.trim().split(' ')[0]).join(', ')
  throw new UserError(`${program} lacks ${names}: run "apt-get update" and try again, or use Docker.`)
}
