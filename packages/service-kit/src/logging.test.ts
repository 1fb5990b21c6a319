import { describe, expect, it } from 'vitest'
import { createLogger, onceATurn } from './logging.ts'

function logged(...args: [object, string?]): string {
  const lines: string[] = []
  const log = createLogger({
    service: 'test-service',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  })
  log.info(...args)
  return lines.join('')
}

const secrets = [
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

describe('the log', () => {
  it.each(secrets)('the log redacts `%s` down to three levels', (name) => {
    const canary = { [name]: 'canary-secret' }
    for (const entry of [canary, { body: canary }, { request: { body: canary } }, { headers: [canary] }])
      expect(logged(entry)).not.toContain('canary-secret')
    expect(logged({ request: { body: canary } })).toContain('[redacted]')
  })

  it('the log writes one JSON line with the level name, the service and the time', () => {
    const line = JSON.parse(logged({ room_id: 7 }, 'hello'))
    expect(line).toMatchObject({ level: 'info', service: 'test-service', room_id: 7, msg: 'hello' })
    expect(new Date(line.time).getTime()).toBeGreaterThan(0)
    expect(line).not.toHaveProperty('trace_id')
  })

  it('the log contains the cause of an error', () => {
    const err = new Error('outer', { cause: new Error('inner') })
    expect(logged({ err }, 'failed')).toMatch(/outer.*inner/)
  })
})

it('lines of one turn of the event loop are written in one call, in order, and a fatal line at once', async () => {
  const writes: string[] = []
  const destination = onceATurn({ write: (text) => void writes.push(text) })
  const log = createLogger({ service: 'test-service', level: 'info', destination })
  const messages = () => writes.map((text) => text.match(/"msg":"\w+"/g)?.map((each) => each.slice(7, -1)))
  log.info('first')
  log.info('second')
  expect(writes).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(messages()).toEqual([['first', 'second']])
  log.info('third')
  log.fatal('last')
  expect(messages()).toEqual([
    ['first', 'second'],
    ['third', 'last'],
  ])
})
