import { createHash } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { UserError } from './problems.ts'

/** The checkout. */
export const root = resolve(import.meta.dirname, '..', '..', '..', '..')

export interface Account {
  name: string
  uid: number
  gid: number
}

/** Returns the account for servers when running as root, which PostgreSQL refuses and others should. */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (!uid || !gid)
    throw new UserError('There is no account "nobody" to run the servers as: run as an ordinary user.')
  return { name: 'nobody', uid: Number(uid), gid: Number(gid) }
}

/** Returns true when every directory from / to `folder` is accessible to everyone. */
function isReachableByOthers(folder: string): boolean {
  for (let current = resolve(folder); ; current = dirname(current)) {
    if (existsSync(current) && (lstatSync(current).mode & 0o001) === 0) return false
    if (current === dirname(current)) return true
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10)
}

/** Creates a directory outside the checkout, and checks that no other user prepared it. */
function ownFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const info = lstatSync(folder)
  if (!info.isDirectory() || info.uid !== process.getuid?.()) {
    throw new UserError(
      `${folder} belongs to another user: remove it, or set DEVSTACK_DATA to a folder of your own.`,
    )
  }
  chmodSync(folder, 0o755)
  return folder
}

/**
 * Returns the directory of data, logs and keys: `.devstack` in the checkout, unless the servers' account
 * cannot access it.
 */
export function stateRoot(env: NodeJS.ProcessEnv = process.env): { folder: string; why?: string } {
  if (env.DEVSTACK_DATA) return { folder: resolve(env.DEVSTACK_DATA) }
  const inCheckout = join(root, '.devstack')
  if (!serverAccount() || isReachableByOthers(root)) return { folder: inCheckout }
  const folder = ownFolder(join('/var/lib/bigtech-chat', hashOf(root)))
  return {
    folder,
    why: `${root} cannot be entered by the account of the servers, so data and logs are in ${folder}`,
  }
}

/** Returns the cache of fetched artefacts, shared by all checkouts of this user. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env.DEVSTACK_CACHE) return resolve(env.DEVSTACK_CACHE)
  if (serverAccount() && !isReachableByOthers(homedir())) return '/var/cache/bigtech-chat'
  const home = env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  return isWritable(home) || isWritable(homedir())
    ? join(home, 'bigtech-chat')
    : join(root, '.devstack', 'cache')
}

export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Finds a program in PATH or in system directories that are often missing in PATH. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folders = [
    ...(env.PATH ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    '/opt/homebrew/bin',
  ]
  for (const folder of folders) {
    const file = join(folder || '.', name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not in this directory.
    }
  }
  return undefined
}
