import type { logCreator } from 'kafkajs'
import type { DriverOptions } from './port.ts'

const QUIET_MS = 10_000
const ERROR = 1
const WARN = 2

/** Client warnings about conditions that this package handles. */
const EXPECTED = /Limiting retries for the idempotent producer/

/**
 * Maps the client's log. Client errors become warnings: the client retries, and the caller logs the final
 * failure. During an outage the client repeats lines several times a second, so each line is passed on at
 * most once in ten seconds.
 */
export function clientLog(log: DriverOptions['log']): logCreator {
  const lastSeen = new Map<string, number>()
  return () => (entry) => {
    const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...detail } = entry.log
    if (EXPECTED.test(message)) return
    const now = Date.now()
    const repeated = now - (lastSeen.get(message) ?? 0) < QUIET_MS
    if (!repeated) {
      if (lastSeen.size > 200) lastSeen.clear()
      lastSeen.set(message, now)
    }
    const level = (entry.level === ERROR || entry.level === WARN) && !repeated ? 'warn' : 'debug'
    log(level, message, { part: entry.namespace, ...detail })
  }
}
