import { isSpanContextValid, trace } from '@opentelemetry/api'
import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino'

/**
 * Key names whose values never belong in a log. `redact` of pino only sees the depths it is
 * told, so the list is applied at the three levels that our own code logs.
 */
const secretKeys = [
  'password',
  'current_password',
  'new_password',
  'password_hash',
  'passwordHash',
  'access_token',
  'refresh_token',
  'token',
  'ticket',
  'authorization',
  'cookie',
]
const redactPaths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`])

/** pino as every process uses it: JSON lines, the level as a word, the service's name, the trace. */
export function createLogger(options: {
  service: string
  level: string
  destination?: DestinationStream
}): Logger {
  const pinoOptions: LoggerOptions = {
    level: options.level,
    base: { service: options.service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: traceFields,
    redact: { paths: redactPaths, censor: '[redacted]' },
    messageKey: 'msg',
    errorKey: 'err',
  }
  return options.destination ? pino(pinoOptions, options.destination) : pino(pinoOptions)
}

function traceFields(): object {
  const span = trace.getActiveSpan()?.spanContext()
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {}
}
