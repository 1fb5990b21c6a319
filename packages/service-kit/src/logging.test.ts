import { waitFor } from '@bigtech/testkit'
import { describe, expect, it } from 'vitest'
import { createLogger, inBatches } from './logging.ts'

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

it('lines of the log are written in few calls, in order, and at once when a line is fatal', async () => {
  const writes: string[] = []
  const destination = inBatches({ write: (text) => void writes.push(text) })
  const log = createLogger({ service: 'test-service', level: 'info', destination })
  const messages = () => writes.map((text) => text.match(/"msg":"\w+"/g)?.map((each) => each.slice(7, -1)))
  log.info('first')
  log.info('second')
  expect(writes).toEqual([])
  await waitFor(() => writes.length > 0)
  expect(messages()).toEqual([['first', 'second']])
  log.info('third')
  log.fatal('last')
  expect(messages()).toEqual([
    ['first', 'second'],
    ['third', 'last'],
  ])
  for (let n = 0; n < 1_000; n++) log.info({ filler: 'x'.repeat(1_000) }, 'many')
  expect(writes.length).toBeGreaterThan(20)
})
