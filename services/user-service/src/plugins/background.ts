import { type Service, StoreUnavailable } from '@bigtech/service-kit'

export interface Background {
  start(): void
  /** Runs it soon instead of at its next turn. */
  wake(): void
}

/**
 * Work that comes round in every process and may overlap between them: it must be harmless to do
 * twice. An outage of a store is waited out; anything else is logged as an error.
 */
export function background(
  service: Service,
  what: string,
  everyMs: number,
  work: () => Promise<unknown>,
): Background {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> | undefined
  let state: 'idle' | 'started' | 'stopped' = 'idle'

  const plan = (ms: number) => {
    if (state !== 'started') return
    clearTimeout(timer)
    timer = setTimeout(run, ms)
    timer.unref()
  }
  const run = () => {
    if (running) return plan(100)
    running = work()
      .catch((err: unknown) => {
        const level = err instanceof StoreUnavailable ? 'debug' : 'error'
        service.log[level]({ err }, what)
      })
      .finally(() => {
        running = undefined
        // Not in step: several processes started together would all come at once.
        plan(everyMs * (0.75 + Math.random() / 2))
      })
  }
  service.lifecycle.onStop('consumers', what, async () => {
    state = 'stopped'
    clearTimeout(timer)
    await running
  })
  return {
    start: () => {
      if (state !== 'idle') return
      state = 'started'
      plan(Math.random() * Math.min(everyMs, 1_000))
    },
    wake: () => plan(0),
  }
}
