import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { formatLine as formatted, isNews, lineSplitter } from './logs.ts'

const formatLine = (name: string, line: string) => stripVTControlCharacters(formatted(name, line))

describe('log lines', () => {
  it('lines of pino show process, time, level, message and relevant fields', () => {
    const line = JSON.stringify({
      level: 40,
      time: new Date(2026, 0, 2, 3, 4, 5).getTime(),
      pid: 7,
      hostname: 'h',
      service: 'chat-service',
      msg: 'slow reader cut',
      user_id: 12,
      request_id: 'r-1',
    })
    expect(formatLine('chat-service', line)).toBe(
      'chat-service         03:04:05 warn  slow reader cut user_id=12 request_id=r-1',
    )
  })

  it("an error's stack is shown on separate lines", () => {
    const text = formatLine(
      'x',
      JSON.stringify({ level: 50, msg: 'failed', err: { stack: 'Error: no\n    at f' } }),
    )
    expect(text.split('\n').slice(1)).toEqual(['    Error: no', '        at f'])
  })

  it('lines that are not JSON are shown unchanged', () => {
    expect(formatLine('x', 'plain words')).toContain('plain words')
    expect(formatLine('x', '{broken')).toContain('{broken')
  })

  it('warnings, errors and unstructured lines are highlights', () => {
    expect(isNews(JSON.stringify({ level: 30, path: '/rooms', msg: 'request' }))).toBe(false)
    expect(isNews(JSON.stringify({ level: 'info', msg: 'request' }))).toBe(false)
    expect(isNews(JSON.stringify({ level: 'warn', msg: 'slow' }))).toBe(true)
    expect(isNews(JSON.stringify({ level: 40, path: '/ready', msg: 'slow' }))).toBe(true)
    expect(isNews('SyntaxError: Unexpected token')).toBe(true)
    expect(isNews('{ cut')).toBe(true)
  })

  it('warnings are hidden while the system starts, errors are not', () => {
    expect(isNews(JSON.stringify({ level: 40, msg: 'retrying' }), true)).toBe(false)
    expect(isNews(JSON.stringify({ level: 50, msg: 'failed' }), true)).toBe(true)
    expect(isNews('SyntaxError: Unexpected token', true)).toBe(true)
  })

  it('a character split between two chunks is preserved', () => {
    const lines: string[] = []
    const take = lineSplitter((line) => lines.push(line))
    for (const byte of Buffer.from('안녕\n')) take(Buffer.from([byte]))
    expect(lines).toEqual(['안녕'])
  })

  it('lines may be split anywhere between two chunks', () => {
    const lines: string[] = []
    const take = lineSplitter((line) => lines.push(line))
    for (const chunk of ['on', 'e\ntw', 'o\n', '\nlast']) take(chunk)
    expect(lines).toEqual(['one', 'two', ''])
  })
})
