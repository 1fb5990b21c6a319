import { existsSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { generateAll } from './generated.ts'
import { red } from './logs.ts'
import { migrate } from './migrations.ts'
import { messageOf } from './problems.ts'
import { printLine, seconds } from './progress.ts'
import { presentServices, type ServiceRow } from './services.ts'
import type { Stack } from './stack.ts'

/** Editors save one file in several steps, and often several files. */
const SETTLE_MS = 80

const ignored = /(^|[\\/])(node_modules|generated|dist|testing|\.[^\\/]+)([\\/]|$)|\.test\.tsx?$|~$/

/** The sources of the web page, which need no restart. */
const pageSources = ['packages/web-client', 'packages/client', 'packages/contracts']

/** A watched workspace directory, and the services to restart on changes. */
interface Watched {
  readonly folder: string
  readonly restarts: readonly string[]
}

/**
 * Restarts services whose files, or packages they use, are saved; first generates code and applies new
 * migrations. Other processes keep running. Returns a function that stops watching.
 */
export function watchSources(stack: Stack): () => void {
  const { root } = stack.instance
  const names = stack.supervisor.list().map(({ name }) => name)
  const rows = presentServices(root).filter(({ name }) => names.includes(name))
  const restarter = new Restarter(stack)
  const watchers = watchedFolders(root, rows).map(({ folder, restarts }) =>
    watch(join(root, folder), { recursive: true }, (_event, file) => {
      if (file && !ignored.test(file)) restarter.saved(join(folder, file), restarts)
    }),
  )
  return () => {
    for (const watcher of watchers) watcher.close()
  }
}

/** Returns the directory of each service and of each package it uses, directly or transitively. */
export function watchedFolders(root: string, rows: readonly ServiceRow[]): Watched[] {
  const restartsByFolder = new Map(pageSources.map((folder) => [folder, new Set<string>()]))
  for (const { name, folder } of rows) {
    for (const used of [folder, ...packagesOf(root, folder)]) {
      const restarts = restartsByFolder.get(used) ?? new Set()
      restartsByFolder.set(used, restarts.add(name))
    }
  }
  return [...restartsByFolder].map(([folder, restarts]) => ({ folder, restarts: [...restarts] }))
}

function packagesOf(root: string, folder: string, found = new Set<string>()): Set<string> {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
  }
  for (const [name, version] of Object.entries(manifest.dependencies ?? {})) {
    if (!version.startsWith('workspace:')) continue
    const short = name.split('/').at(-1) as string
    const used = [`packages/${short}`, `packages/dev/${short}`].find((path) => existsSync(join(root, path)))
    if (!used || found.has(used)) continue
    found.add(used)
    packagesOf(root, used, found)
  }
  return found
}

/** Runs one round at a time: files saved in the meantime make the next round. */
class Restarter {
  readonly #stack: Stack
  readonly #files = new Set<string>()
  readonly #names = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #isBusy = false

  constructor(stack: Stack) {
    this.#stack = stack
  }

  saved(file: string, names: readonly string[]): void {
    this.#files.add(file)
    for (const name of names) this.#names.add(name)
    clearTimeout(this.#timer)
    if (!this.#isBusy) this.#timer = setTimeout(() => void this.#round(), SETTLE_MS)
  }

  async #round(): Promise<void> {
    this.#isBusy = true
    const [files, names] = [[...this.#files], [...this.#names]]
    this.#files.clear()
    this.#names.clear()
    try {
      await this.#restart(files, names)
    } catch (error) {
      printLine(red(messageOf(error)))
    }
    this.#isBusy = false
    if (this.#files.size > 0) this.saved([...this.#files][0] as string, [])
  }

  async #restart(files: readonly string[], names: readonly string[]): Promise<void> {
    const { instance, passwords, supervisor } = this.#stack
    const began = Date.now()
    const has = (part: string) => files.some((file) => file.includes(part))
    printLine(`${files[0]}${files.length > 1 ? ` and ${files.length - 1} more` : ''} changed`)
    if (has('/prisma/')) await generateAll(instance.root)
    if (has('/migrations/')) await migrate(instance, passwords)
    await Promise.all(names.map((name) => supervisor.restart(name)))
    if (names.length > 0) printLine(`${names.join(', ')}: started again in ${seconds(began)}`)
    // Last, because its start takes longer than that of a service.
    if (pageSources.some((folder) => has(`${folder}/`))) await generateAll(instance.root)
  }
}
