import { formatLine, isNews, red, yellow } from './logs.ts'
import { signalQuietly } from './pids.ts'
import { UserError } from './problems.ts'
import { launch, type ProcessFolders, type ProcessSpec, type RunningProcess, stopProcess } from './process.ts'
import { printLine } from './progress.ts'
import { reasonNotReady } from './readiness.ts'

type Shown = 'all' | 'news' | 'errors' | 'nothing'

type ProcessState = 'stopped' | 'starting' | 'ready' | 'paused' | 'restarting'

interface Entry {
  spec: ProcessSpec
  state: ProcessState
  running: RunningProcess | undefined
  /** The requested state; an exit against it is a crash. */
  wanted: 'up' | 'down'
  failures: number
  restarts: number
  readySince: number
}

export interface ProcessInfo {
  name: string
  state: ProcessState
  pid: number | null
  port: number | null
  url: string | null
  restarts: number
}

/** Polling interval of readiness, a compromise between latency and load. */
const READY_EVERY_MS = 150
const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 15_000
const STABLE_AFTER_MS = 30_000

/** Starts processes, shows their output, restarts crashed ones, and stops them in order. */
export class Supervisor {
  private readonly entries = new Map<string, Entry>()
  private readonly folders: ProcessFolders
  private readonly print: (line: string) => void
  private isClosing = false
  private shown: Shown = 'news'

  constructor(folders: ProcessFolders, print: (line: string) => void = printLine) {
    this.folders = folders
    this.print = print
  }

  add(spec: ProcessSpec): void {
    const known = this.entries.get(spec.name)
    if (known) known.spec = spec
    else
      this.entries.set(spec.name, {
        spec,
        state: 'stopped',
        running: undefined,
        wanted: 'down',
        failures: 0,
        restarts: 0,
        readySince: 0,
      })
  }

  /** Selects the shown log lines. Default: `news`, which is warnings and errors. */
  show(what: Shown): void {
    this.shown = what
  }

  has(name: string): boolean {
    return this.entries.has(name)
  }

  list(): ProcessInfo[] {
    return [...this.entries.values()].map(({ spec, state, running, restarts }) => ({
      name: spec.name,
      state,
      pid: running?.pid ?? null,
      port: spec.port ?? null,
      url: spec.url ?? null,
      restarts,
    }))
  }

  /** Starts a process and waits until it is ready; a no-op when it is up. */
  async start(name: string): Promise<void> {
    const entry = this.entry(name)
    if (this.isClosing) throw new UserError('The stack is stopping.')
    entry.wanted = 'up'
    if (!entry.running) this.spawn(entry)
    await this.untilReady(entry)
  }

  /** Stops a process gracefully, by force after its timeout. */
  async stop(name: string): Promise<void> {
    const entry = this.entry(name)
    entry.wanted = 'down'
    if (!entry.running) {
      entry.state = 'stopped'
      return
    }
    const forced = await stopProcess(entry.spec, entry.running)
    if (forced)
      this.print(yellow(`${name} did not stop within ${entry.spec.stopWithinMs / 1000} s and was killed`))
  }

  async restart(name: string): Promise<void> {
    await this.stop(name)
    await this.start(name)
  }

  /** Sends SIGKILL; the process stays down until started, unless `comesBack`. */
  async kill(name: string, comesBack = false): Promise<void> {
    const entry = this.entry(name)
    entry.wanted = comesBack ? 'up' : 'down'
    if (!entry.running) return
    const { exited } = entry.running
    await send(entry, 'SIGKILL')
    await exited
  }

  /** Sends SIGSTOP: it keeps its port and connections but does not respond. */
  async pause(name: string): Promise<void> {
    const entry = this.entry(name)
    if (!entry.running) throw new UserError(`${name} is not running.`)
    await send(entry, 'SIGSTOP')
    entry.state = 'paused'
  }

  async resume(name: string): Promise<void> {
    const entry = this.entry(name)
    if (!entry.running) throw new UserError(`${name} is not running.`)
    await send(entry, 'SIGCONT')
    entry.state = 'ready'
  }

  /** Stops everything: gateway, services, then servers. */
  async close(): Promise<void> {
    this.isClosing = true
    const orders = [...new Set([...this.entries.values()].map((entry) => entry.spec.order))].sort(
      (a, b) => b - a,
    )
    for (const order of orders) {
      const group = [...this.entries.values()].filter((entry) => entry.spec.order === order)
      await Promise.all(group.map((entry) => this.stop(entry.spec.name)))
    }
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name)
    if (!entry) throw new UserError(`There is no process "${name}".`)
    return entry
  }

  private spawn(entry: Entry): void {
    const { spec } = entry
    entry.state = 'starting'
    const running = launch(spec, this.folders, (line) => {
      if (!spec.isShown || this.shown === 'nothing') return
      if (this.shown === 'all' || isNews(line, this.shown === 'errors'))
        this.print(formatLine(spec.name, line))
    })
    entry.running = running
    running.exited.then((exit) => {
      entry.running = undefined
      if (entry.wanted === 'up' && !this.isClosing && entry.readySince > 0)
        this.comeBack(entry, exit, running.tail())
      else entry.state = 'stopped'
    })
  }

  private async untilReady(entry: Entry): Promise<void> {
    const { spec } = entry
    const deadline = Date.now() + spec.readyWithinMs
    while (entry.state !== 'ready') {
      const running = entry.running
      if (!running && entry.state === 'stopped')
        throw new UserError(`${spec.name} did not start: see its output above.`)
      if (running && (await spec.isReady(running.pid)) && entry.running === running) {
        entry.state = 'ready'
        entry.readySince = Date.now()
        return
      }
      if (Date.now() > deadline) throw new UserError(await lateText(spec, running?.tail() ?? []))
      await this.pauseBetweenTries(entry)
    }
  }

  private async pauseBetweenTries(entry: Entry): Promise<void> {
    const running = entry.running
    const tick = new Promise((resolve) => setTimeout(resolve, READY_EVERY_MS))
    const exit = await Promise.race([tick, running?.exited ?? tick])
    if (running && exit && entry.readySince === 0) {
      throw new UserError(
        exitText(entry.spec, running.tail(), entry.spec.isShown && this.shown !== 'nothing'),
      )
    }
  }

  private comeBack(entry: Entry, exit: { code: number | null; signal: string | null }, tail: string[]): void {
    const { spec } = entry
    if (Date.now() - entry.readySince > STABLE_AFTER_MS) entry.failures = 0
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** entry.failures)
    entry.failures += 1
    entry.restarts += 1
    entry.state = 'restarting'
    const how = exit.signal ?? `exit ${exit.code}`
    this.print(red(`${spec.name} died (${how}); restarting it in ${delayMs / 1000} s`))
    if (!spec.isShown) for (const line of tail.slice(-5)) this.print(formatLine(spec.name, line))
    setTimeout(() => {
      if (entry.wanted !== 'up' || this.isClosing || entry.running) return
      this.spawn(entry)
      this.untilReady(entry).then(
        () => this.print(yellow(`${spec.name} is back`)),
        (error: Error) => this.print(red(error.message)),
      )
    }, delayMs)
  }
}

async function send(entry: Entry, signal: NodeJS.Signals): Promise<void> {
  if (entry.spec.signal) await entry.spec.signal(signal)
  else if (entry.running) signalQuietly(entry.running.pid, signal)
}

function exitText(spec: ProcessSpec, tail: string[], wasShown: boolean): string {
  if (wasShown) return `${spec.name} ended while it was starting: see its output above.`
  return `${spec.name} ended while it was starting:\n${indented(tail.slice(-15))}`
}

function indented(lines: string[]): string {
  return lines.map((line) => `    ${line}`).join('\n')
}

async function lateText(spec: ProcessSpec, tail: string[]): Promise<string> {
  const reason = spec.readyUrl ? [await reasonNotReady(spec.readyUrl)] : []
  const last = indented([...tail.slice(-8), ...reason])
  return `${spec.name} was not ready within ${spec.readyWithinMs / 1000} s${last ? `:\n${last}` : ''}`
}
