import {
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  type WriteStream,
} from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'

const useColour = process.stdout.isTTY === true && !process.env.NO_COLOR

function paint(code: number, text: string): string {
  return useColour || process.env.FORCE_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text
}

export const bold = (text: string) => paint(1, text)
export const dim = (text: string) => paint(2, text)
export const red = (text: string) => paint(31, text)
export const green = (text: string) => paint(32, text)
export const yellow = (text: string) => paint(33, text)

const palette = [36, 35, 34, 32, 33, 96, 95, 94, 92, 93]
const colours = new Map<string, number>()

function colourOf(name: string): number {
  const kept = colours.get(name)
  if (kept) return kept
  const next = palette[colours.size % palette.length] as number
  colours.set(name, next)
  return next
}

const levels: Record<string, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** Fields omitted because the prefix contains them or they are irrelevant. */
const hidden = new Set([
  'level',
  'time',
  'msg',
  'pid',
  'hostname',
  'service',
  'name',
  'v',
  'err',
  'req',
  'res',
])

const NAME_WIDTH = 20

function prefix(name: string): string {
  return paint(colourOf(name), name.padEnd(NAME_WIDTH))
}

function clock(time: unknown): string {
  const date = typeof time === 'number' || typeof time === 'string' ? new Date(time) : new Date()
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toTimeString().slice(0, 8)
}

function levelText(level: unknown): string {
  const text = (levels[String(level)] ?? String(level ?? 'info')).padEnd(5)
  if (/^(error|fatal)/.test(text)) return red(text)
  if (text.startsWith('warn')) return yellow(text)
  return dim(text)
}

function fieldsText(entry: Record<string, unknown>): string {
  const fields: string[] = []
  const response = entry.res as { statusCode?: unknown } | undefined
  const request = entry.req as { method?: unknown; url?: unknown } | undefined
  if (request?.method) fields.push(`${request.method} ${request.url}`)
  if (response?.statusCode) fields.push(`status=${response.statusCode}`)
  for (const [key, value] of Object.entries(entry)) {
    if (hidden.has(key) || value === undefined || value === null) continue
    fields.push(`${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  }
  return fields.length ? ` ${dim(fields.join(' '))}` : ''
}

function errorText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value ? `\n    ${String(value)}` : ''
  const error = value as { stack?: unknown; message?: unknown }
  const text = String(error.stack ?? error.message ?? JSON.stringify(value))
  return `\n${red(text.replace(/^/gm, '    '))}`
}

/** Formats a log line: process, time, level, message, relevant fields. */
export function formatLine(name: string, line: string): string {
  if (!line.startsWith('{')) return `${prefix(name)} ${line}`
  try {
    const entry = JSON.parse(line) as Record<string, unknown>
    const head = `${prefix(name)} ${dim(clock(entry.time))} ${levelText(entry.level)}`
    return `${head} ${String(entry.msg ?? '')}${fieldsText(entry)}${errorText(entry.err)}`
  } catch {
    return `${prefix(name)} ${line}`
  }
}

/**
 * Returns true for lines shown while the stack runs: warnings, errors, and unstructured lines (a crash). The
 * log file contains everything.
 *
 * @param isStarting hides warnings, because processes wait for each other then
 */
export function isNews(line: string, isStarting = false): boolean {
  if (!line.startsWith('{')) return true
  try {
    const { level } = JSON.parse(line) as { level?: unknown }
    const name = levels[String(level)] ?? String(level)
    return !quietLevels.has(name) && !(isStarting && name === 'warn')
  } catch {
    return true
  }
}

const quietLevels = new Set(['trace', 'debug', 'info'])
const KEEP_BYTES = 20 * 1024 * 1024

export function logFile(folder: string, name: string): string {
  return join(folder, `${name.replaceAll('#', '-')}.log`)
}

/** Opens the raw log of a process; rotates a large one to .1. */
export function openLog(folder: string, name: string): { file: string; stream: WriteStream } {
  mkdirSync(folder, { recursive: true })
  const file = logFile(folder, name)
  if (existsSync(file) && statSync(file).size > KEEP_BYTES) renameSync(file, `${file}.1`)
  // Opened at once: an error while the stream opens the file later would be unhandled.
  return { file, stream: createWriteStream(file, { fd: openSync(file, 'a') }) }
}

/** Calls back for each complete line of a stream of chunks. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer | string) => void {
  let rest = ''
  // A character may be split between two chunks.
  const decoder = new StringDecoder('utf8')
  return (chunk) => {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk))).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
}
