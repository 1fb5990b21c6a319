import { AsyncLocalStorage } from 'node:async_hooks'
import { createLogUpdate } from 'log-update'
import { dim, green, red, yellow } from './logs.ts'

export type Say = (text: string) => void

/** Without a terminal, progress messages would only fill a log: one appears when nothing else was printed for so long. */
const SAY_EVERY_MS = 15_000
let lastSaid = Date.now()

const isTerminal = process.stdout.isTTY === true
const live = createLogUpdate(process.stdout)
/** Running steps with their last message: redrawn in place on a terminal, below the printed lines. */
const running = new Map<symbol, string>()
/** Set within a step, whose line stands for the steps it consists of. */
const surrounding = new AsyncLocalStorage<true>()

function redraw(): void {
  if (!isTerminal) return
  if (running.size === 0) live.clear()
  else live([...running.values()].map((text) => `  ${dim('·')} ${text}`).join('\n'))
}

/** Prints a line above the running steps. */
export function printLine(line: string): void {
  if (isTerminal) live.clear()
  lastSaid = Date.now()
  console.log(line)
  redraw()
}

/**
 * Runs a step and shows its progress and its duration. A step within another one leaves a line only if it
 * fails.
 *
 * @param titleAfter returns the title of a completed step
 */
export async function step<T>(
  title: string,
  work: (say: Say) => Promise<T>,
  titleAfter: (result: T) => string = () => title,
): Promise<T> {
  const began = Date.now()
  const id = Symbol(title)
  const isPart = surrounding.getStore() === true
  const say: Say = (text) => {
    running.set(id, `${title}: ${dim(text)}`)
    if (isTerminal) return redraw()
    if (Date.now() - lastSaid < SAY_EVERY_MS) return
    lastSaid = Date.now()
    console.log(`  ${dim('·')} ${title}: ${dim(text)}`)
  }
  running.set(id, title)
  redraw()
  try {
    const result = await surrounding.run(true, work, say)
    running.delete(id)
    if (isPart) redraw()
    else printLine(`  ${green('✓')} ${titleAfter(result)} ${dim(seconds(began))}`)
    return result
  } catch (error) {
    running.delete(id)
    printLine(`  ${red('✗')} ${title} ${dim(seconds(began))}`)
    throw error
  }
}

export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}

export function notice(text: string): void {
  printLine(`  ${yellow('!')} ${text}`)
}
