/** Resolves after `ms`, or early when the signal is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve()
      return
    }
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}

const TICK_MS = 1_000
/** Fetches end at its multiples. */
const IDLE_TICK_MS = 2 * TICK_MS

/**
 * Returns about `ms`, such that timers of this process which need not be exact expire together, at its whole seconds or multiples
 * of `tickMs`: each wakeup of an idle process costs more than the work in it. Shorter times than a tick remain as they are.
 */
export function untilTick(ms: number, tickMs = TICK_MS): number {
  if (ms < (tickMs * 3) / 4) return ms
  const now = performance.now()
  const tick = Math.round((now + ms) / tickMs) * tickMs
  // Not before the tick: Node counts from the start of the current pass of the event loop, in whole milliseconds.
  return Math.ceil(tick - now) + 1
}

/**
 * Does periodic work about every `ms`, at the whole seconds of this process like `untilTick`, and returns a function that
 * ends it. Does not keep the process running.
 *
 * @param isIdle tells that the work may wait for the next even second, when an idle process wakes anyway
 */
export function everyTick(ms: number, work: () => void, isIdle: () => boolean = () => false): () => void {
  let timer: NodeJS.Timeout
  const plan = () => {
    timer = setTimeout(
      run,
      isIdle() ? untilTick(Math.max(ms, IDLE_TICK_MS), IDLE_TICK_MS) : untilTick(ms),
    ).unref()
  }
  const run = () => {
    plan()
    work()
  }
  plan()
  return () => clearTimeout(timer)
}

/** Returns an exponential backoff with jitter in its upper half, which spreads the retries of several processes. */
export function backoffMs(attempt: number, baseMs: number, maxMs: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 20))
  return Math.round(ceiling / 2 + (Math.random() * ceiling) / 2)
}

/** Resolves to whether the promise settled in time; a rejection counts as settled. */
export async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const abort = new AbortController()
  const done = promise.then(
    () => true,
    () => true,
  )
  const late = sleep(timeoutMs, abort.signal).then(() => false)
  const settled = await Promise.race([done, late])
  abort.abort()
  return settled
}

/** Returns the promise's result, or rejects with `error()` after `timeoutMs`. */
export async function within<Value>(
  promise: Promise<Value>,
  timeoutMs: number,
  error: () => Error,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(error()), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
