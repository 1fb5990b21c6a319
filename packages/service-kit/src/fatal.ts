import type { Logger } from 'pino'
import type { Lifecycle } from './lifecycle.ts'

const STOP_TIMEOUT_MS = 20_000

/**
 * Returns the handler of a permanently failed consumer: graceful stop, then exit 1, so that the orchestrator
 * restarts the process. Graceful, because requests and other consumers are not affected.
 */
export function exitAfterStop(lifecycle: Lifecycle, log: Logger): (err: Error) => void {
  return (err) => {
    log.fatal({ err }, 'consumer failed permanently, exiting')
    process.exitCode = 1
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref()
    void lifecycle.stop().finally(() => process.exit(1))
  }
}
