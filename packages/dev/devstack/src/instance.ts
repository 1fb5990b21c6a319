import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Account, cacheRoot, root, serverAccount, stateRoot } from './paths.ts'
import { readPids } from './pids.ts'
import { type Ports, portsOf } from './ports.ts'
import { writeSecret } from './secret.ts'

/** One copy of the stack: its directories, ports and passwords. */
export interface Instance {
  name: string
  root: string
  folder: string
  dataFolder: string
  logFolder: string
  pidFolder: string
  keyFolder: string
  cacheFolder: string
  ports: Ports
  /** The account of the servers when running as root. */
  account: Account | undefined
  /** Whether servers run from images instead of private processes. */
  isDocker: boolean
  /** The reason if the state is outside the checkout. */
  note: string | undefined
}

/**
 * Creates the directories of an instance without starting anything. Omit `isDocker` for read-only commands:
 * the instance then has the servers of its last start and, while running, the ports of that start.
 */
export function openInstance(
  name: string,
  isDocker?: boolean,
  env: NodeJS.ProcessEnv = process.env,
): Instance {
  const state = stateRoot(env)
  const folder = join(state.folder, name)
  const pidFolder = join(folder, 'pids')
  const started = isDocker === undefined ? readStart(folder) : undefined
  const isRunning = started !== undefined && readPids(pidFolder).some(({ running }) => running)
  const instance: Instance = {
    name,
    root,
    folder,
    dataFolder: join(folder, 'data'),
    logFolder: join(folder, 'logs'),
    pidFolder,
    keyFolder: join(folder, 'keys'),
    cacheFolder: cacheRoot(env),
    ports: { ...portsOf(name, env), ...(isRunning ? started.ports : {}) },
    account: serverAccount(),
    isDocker: isDocker ?? started?.isDocker ?? false,
    note: state.why,
  }
  makeFolders(instance)
  return instance
}

const START_FILE = 'start.json'

type Start = Pick<Instance, 'isDocker' | 'ports'>

/** Stores the choices of a start, so that other commands find its servers independent of their own environment. */
export function noteStart({ folder, isDocker, ports }: Instance): void {
  writeFileSync(join(folder, START_FILE), JSON.stringify({ isDocker, ports } satisfies Start))
}

function readStart(folder: string): Start | undefined {
  const file = join(folder, START_FILE)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Start) : undefined
}

function makeFolders(instance: Instance): void {
  for (const folder of [instance.folder, instance.dataFolder, instance.logFolder, instance.pidFolder]) {
    mkdirSync(folder, { recursive: true, mode: 0o755 })
  }
  mkdirSync(instance.keyFolder, { recursive: true, mode: 0o700 })
}

/** Creates a data directory that only its server may access. */
export function serverFolder(instance: Instance, name: string): string {
  const folder = join(instance.dataFolder, name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  giveToServers(instance, folder)
  return folder
}

export function giveToServers(instance: Instance, path: string): void {
  if (instance.account) chownSync(path, instance.account.uid, instance.account.gid)
}

const SOCKET_PATH_LIMIT = 90

/** Returns a directory for Unix sockets, whose paths must be short even in a deep checkout. */
export function socketFolder(instance: Instance, name: string): string {
  const wanted = join(serverFolder(instance, name), 'run')
  if (wanted.length < SOCKET_PATH_LIMIT) {
    mkdirSync(wanted, { recursive: true, mode: 0o700 })
    giveToServers(instance, wanted)
    return wanted
  }
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-'))
  giveToServers(instance, folder)
  return folder
}

/** Deletes all data of the instance, including its keys and passwords. */
export function emptyInstance(instance: Instance): void {
  for (const folder of [instance.dataFolder, instance.keyFolder, instance.logFolder]) {
    rmSync(folder, { recursive: true, force: true })
  }
  makeFolders(instance)
}

export type Passwords = (account: string) => string

/** Returns random passwords, created once per instance and stored beside its data. */
export function passwordsOf(instance: Instance): Passwords {
  const file = join(instance.keyFolder, 'passwords.json')
  const known: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  return (account) => {
    const kept = known[account]
    if (kept) return kept
    const fresh = randomBytes(18).toString('base64url')
    known[account] = fresh
    writeSecret(file, `${JSON.stringify(known, null, 2)}\n`)
    return fresh
  }
}
