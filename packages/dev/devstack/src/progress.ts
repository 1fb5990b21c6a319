import { createLogUpdate } from 'log-update'
import { dim, green, red, yellow } from './logs.ts'

export type Say = (text: string) => void

/** Without a terminal, progress messages would only fill a log. */
const SAY_EVERY_MS = 15_000

const isTerminal = process.stdout.isTTY === true
const live = createLogUpdate(process.stdout)
/** Running steps with their last message: redrawn in place on a terminal, below the printed lines. */
const running = new Map<symbol, string>()

function redraw(): void {
  if (!isTerminal) return
  if (running.size === 0) live.clear()
  else live([...running.values()].map((text) => `  ${dim('·')} ${text}`).join('\n'))
}

/** Prints a line above the running steps. */
export function printLine(line: string): void {
  if (isTerminal) live.clear()
  console.log(line)
  redraw()
}

/** Runs a step and shows its progress and its duration. */
export async function step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
  const began = Date.now()
  const id = Symbol(title)
  let lastSaid = began
  const say: Say = (text) => {
    running.set(id, `${title}: ${dim(text)}`)
    if (isTerminal) return redraw()
    if (Date.now() - lastSaid < SAY_EVERY_MS) return
    lastSaid = Date.now()
    console.log(`  ${dim('·')} ${title}: ${dim(text)}`)
  }
  running.set(id, title)
  redraw()
  let mark = red('✗')
  try {
    const result = await work(say)
    mark = green('✓')
    return result
  } finally {
    running.delete(id)
    printLine(`  ${mark} ${title} ${dim(seconds(began))}`)
  }
}

export function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}

export function notice(text: string): void {
  printLine(`  ${yellow('!')} ${text}`)
}
