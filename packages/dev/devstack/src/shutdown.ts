import { abortRunning } from './run.ts'

type Stop = (reason: string) => Promise<void>

const FORCE_AFTER_MS = 1500

/**
 * Calls `stop` once on Ctrl-C, SIGTERM, a closed terminal, or the death of the bootstrap process. A second
 * Ctrl-C exits immediately, except for the echo of the first: a terminal sends it to us and to our parent,
 * which forwards it.
 */
export function onShutdown(stop: Stop): void {
  let firstAt = 0
  const handle = (reason: string) => {
    if (firstAt > 0) {
      if (Date.now() - firstAt > FORCE_AFTER_MS && reason === 'SIGINT') process.exit(130)
      return
    }
    firstAt = Date.now()
    abortRunning()
    stop(reason).catch((error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => handle(signal))
  process.on('disconnect', () => handle('its parent ended'))
  process.channel?.unref()
  // A closed terminal must not end us before the rest is stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}
