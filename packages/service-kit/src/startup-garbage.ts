import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type CollectGarbage = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

const CHECK_MS = 1_000
const IDLE_SHARE = 0.1

/**
 * Collects the garbage of the start once, as soon as the process has been idle for a second after `afterMs`: the collection
 * stops the process.
 *
 * @param busyShare returns the busy share of the time since its previous call
 */
export function collectStartupGarbageWhenIdle(
  afterMs: number,
  collect = collectStartupGarbage,
  busyShare = measureBusyShare(),
): void {
  const check = () => {
    if (busyShare() < IDLE_SHARE) collect()
    else setTimeout(check, CHECK_MS).unref()
  }
  const begin = () => {
    busyShare()
    setTimeout(check, CHECK_MS).unref()
  }
  setTimeout(begin, afterMs).unref()
}

function measureBusyShare(): () => number {
  let before = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization
  }
}

/**
 * Runs a thorough garbage collection, which takes about 0.2 s. Loading modules and compiling schemas leaves about
 * 30 MB of garbage, and V8 keeps it in an idle process: it collects when the heap grows.
 */
export function collectStartupGarbage(): void {
  setFlagsFromString('--expose-gc')
  // This collection, and those of the idle process after it, would discard the compiled code of what is seldom called. Compiling it
  // again takes a fifth of an idle process's CPU, and makes requests slow for seconds.
  setFlagsFromString('--no-flush-bytecode')
  const collect = runInNewContext('gc') as CollectGarbage
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  setFlagsFromString('--no-expose-gc')
}
