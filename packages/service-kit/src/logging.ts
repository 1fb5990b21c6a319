import { isSpanContextValid, trace } from '@opentelemetry/api'
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

/**
 * Key names whose values must be redacted. pino's `redact` matches fixed depths only, so the list covers the
 * three levels that our code logs.
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

export interface LoggerSettings {
  readonly service: string
  readonly level: string
  readonly destination?: DestinationStream
}

/** Creates the logger of a process: JSON lines, level names, the service's name and the trace. */
export function createLogger(settings: LoggerSettings): Logger {
  return pino(
    {
      level: settings.level,
      base: { service: settings.service },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: traceFields,
      messageKey: 'msg',
      errorKey: 'err',
      redact: { paths: redactPaths, censor: '[redacted]' },
    },
    settings.destination ?? stdout(),
  )
}

let opened: DestinationStream | undefined

/** Returns the stream shared by all loggers of the process: separate streams could interleave lines. */
export function stdout(): DestinationStream {
  opened ??= inBatches(pino.destination(1))
  return opened
}

const FLUSH_MS = 20
const MAX_CHARACTERS = 32 * 1024

/**
 * Writes the lines of 20 ms in one call: a call for each line is most of its cost. A fatal line, and the end of the process,
 * write at once; `kill -9` loses at most 20 ms of lines.
 */
export function inBatches(destination: DestinationStream): DestinationStream {
  let lines = ''
  let timer: NodeJS.Timeout | undefined
  const flushSync = () => {
    clearTimeout(timer)
    timer = undefined
    if (lines === '') return
    const text = lines
    lines = ''
    destination.write(text)
  }
  process.once('exit', flushSync)
  const stream = {
    write: (line: string) => {
      lines += line
      if (lines.length >= MAX_CHARACTERS) flushSync()
      else timer ??= setTimeout(flushSync, FLUSH_MS)
    },
    /** Called by pino after a fatal line. */
    flushSync,
  }
  return stream
}

/** Returns the fields of a line that name the active trace. */
export function traceFields(): object {
  const span = trace.getActiveSpan()?.spanContext()
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {}
}
