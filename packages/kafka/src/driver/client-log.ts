import type { logCreator } from 'kafkajs'
import type { DriverOptions } from './port.ts'

const QUIET_MS = 10_000
const ERROR = 1
const WARN = 2

/** What the client warns of, and this package takes care of. */
const EXPECTED = /Limiting retries for the idempotent producer/

/**
 * Maps the client's log. Its errors are warnings to us: it retries, and what ends in a failure is
 * logged by whoever has to act on it. While brokers are away it repeats itself several times a
 * second, so the same line is passed on once in ten seconds.
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
