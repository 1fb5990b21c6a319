#!/usr/bin/env node
// Runs before anything is installed, so it depends on Node (>= 20) only. Installs the workspace if needed,
// finds Node 24 and starts src/cli.ts.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { asksForHelp, unknownOption, usage } from './usage.mjs'

const PNPM = '12.21.0'
const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const modules = join(root, 'node_modules')
const stampFile = join(modules, '.devstack-installed')
const lockDir = join(root, '.devstack', 'install.lock')

class Sentence extends Error {}

/** The first pattern matching the output of a failed installation determines the advice. */
const installProblems = [
  [/ENOSPC|no space left/i, 'The disk is full: free about 1 GB and run the same command again.'],
  [
    /EACCES|EPERM|EROFS|permission denied|read-only file system/i,
    'No permission to write node_modules: run as the owner of this folder, or give it to yourself with chown.',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET|network|UND_ERR|error sending request/i,
    'The package registry is unreachable: check the network or the proxy settings and run the same command again.',
  ],
  [
    /OUTDATED_LOCKFILE|frozen-lockfile/i,
    'pnpm-lock.yaml does not match the package.json files: run `npx pnpm@12 install` once and commit the lockfile.',
  ],
]

function installKey() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`)
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', 'package.json', 'tests/package.json']
  for (const group of ['packages', 'packages/dev', 'services']) {
    const folder = join(root, group)
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder).sort()) files.push(join(group, name, 'package.json'))
  }
  for (const file of files) {
    const path = join(root, file)
    if (existsSync(path)) hash.update(`\0${file}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}

function isInstalled(key) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === key
}

function writable(folder) {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** An account without a home directory (a service account, a container) keeps its caches in the checkout. */
function installEnv() {
  const env = { ...process.env, CI: 'true' }
  if (writable(homedir())) return env
  const cache = join(root, '.devstack', 'cache')
  return {
    ...env,
    HOME: cache,
    npm_config_cache: join(cache, 'npm'),
    XDG_CACHE_HOME: join(cache, 'xdg'),
    XDG_DATA_HOME: join(cache, 'data'),
    XDG_STATE_HOME: join(cache, 'state'),
    XDG_CONFIG_HOME: join(cache, 'config'),
  }
}

function pnpmCommand() {
  const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', cwd: root })
  if (found.status === 0 && found.stdout.trim().split('.')[0] === PNPM.split('.')[0]) return ['pnpm']
  const npx = spawnSync('npx', ['--version'], { encoding: 'utf8' })
  if (npx.status !== 0)
    throw new Sentence('npm is missing: install Node.js with npm, or pnpm 12, and try again.')
  return ['npx', '-y', `pnpm@${PNPM}`]
}

function alive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Two commands on a fresh clone must not install into one directory concurrently. */
async function withInstallLock(work) {
  let told = false
  for (;;) {
    try {
      mkdirSync(dirname(lockDir), { recursive: true })
      mkdirSync(lockDir)
      writeFileSync(join(lockDir, 'pid'), String(process.pid))
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      const holder = existsSync(join(lockDir, 'pid')) ? Number(readFileSync(join(lockDir, 'pid'), 'utf8')) : 0
      if (holder === 0 || !alive(holder)) {
        rmSync(lockDir, { recursive: true, force: true })
        continue
      }
      if (!told) console.log(`Waiting for the installation by process ${holder} ...`)
      told = true
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
  try {
    return await work()
  } finally {
    rmSync(lockDir, { recursive: true, force: true })
  }
}

/** Redraws one line on a terminal; elsewhere progress would only fill a log. */
function showProgress(line) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}`)
}

function runInstall() {
  const [command, ...before] = pnpmCommand()
  const args = [...before, 'install', '--frozen-lockfile', '--reporter=append-only']
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: installEnv(), stdio: ['ignore', 'pipe', 'pipe'] })
    let tail = ''
    const keep = (chunk) => {
      tail = (tail + chunk).slice(-8000)
      showProgress(tail.trimEnd().split('\n').at(-1))
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const stop = (signal) => child.kill(signal)
    process.on('SIGINT', stop).on('SIGTERM', stop)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
      showProgress('')
      if (code === 0) return resolve()
      console.error(tail)
      if (signal) return reject(new Sentence('The installation was interrupted: run the same command again.'))
      const known = installProblems.find(([pattern]) => pattern.test(tail))
      reject(
        new Sentence(known ? known[1] : 'The installation failed (see above); run the same command again.'),
      )
    })
  })
}

async function install() {
  if (isInstalled(installKey())) return
  await withInstallLock(async () => {
    const key = installKey()
    if (isInstalled(key)) return
    console.log('Installing the workspace (the first time about 250 MB, a minute or less) ...')
    await runInstall()
    writeFileSync(stampFile, `${key}\n`)
  })
}

function findNode() {
  const { platform, arch } = process
  for (const name of [`node-${platform}-${arch}`, `node-bin-${platform}-${arch}`]) {
    const file = join(modules, name, 'bin', 'node')
    if (existsSync(file)) return file
  }
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  throw new Sentence(
    `Node 24 is needed and has no package for ${platform}-${arch}: install it from https://nodejs.org and try again.`,
  )
}

/** Starts the command with an IPC channel, so that it notices when this process is killed and stops its processes. */
function handOver(node, args) {
  const path = [dirname(node), join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter)
  const cli = join(root, 'packages', 'dev', 'devstack', 'src', 'cli.ts')
  // kafkajs arms timers with negative delays, about each of which Node 24 warns.
  const child = spawn(node, ['--disable-warning=TimeoutNegativeWarning', cli, ...args], {
    cwd: root,
    env: { ...process.env, PATH: path, DEVSTACK_NODE: node },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  stopWithParent(child)
  child.on('error', (error) => fail(error))
  child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)))
}

/** Stops when the parent is gone: npm starts us through a shell that does not forward SIGTERM. */
function stopWithParent(child) {
  const parent = process.ppid
  if (!process.env.npm_lifecycle_event) return
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 500).unref()
}

function fail(error) {
  const texts = {
    ENOSPC: 'The disk is full: free about 1 GB and run the same command again.',
    EACCES: `No permission to write in ${root}: run as the owner of this folder.`,
    EROFS: `${root} is on a read-only file system: clone to a writable folder.`,
  }
  const text = error instanceof Sentence ? error.message : (texts[error.code] ?? String(error.stack ?? error))
  console.error(`\n${text}`)
  process.exit(1)
}

try {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Sentence(
      `Node ${process.versions.node} is too old: Node 20 or newer is needed, see https://nodejs.org.`,
    )
  }
  if (process.platform === 'win32')
    throw new Sentence('Windows is supported inside WSL 2: run the command there.')
  const args = process.argv.slice(2)
  if (asksForHelp(args)) {
    console.log(usage)
  } else {
    const unknown = unknownOption(args)
    if (unknown) throw new Sentence(`Unknown option "${unknown}", see --help.`)
    await install()
    handOver(findNode(), args)
  }
} catch (error) {
  fail(error)
}
