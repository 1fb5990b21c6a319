import { describe, expect, it } from 'vitest'
import { continueTrace } from './continue-trace.ts'
import { makeDiscreet } from './tracing-exporter.ts'
import { summaryOf } from './tracing-mariadb.ts'

describe('summaryOf', () => {
  it.each([
    ['SELECT `chat`.`rooms`.`id`, `chat`.`rooms`.`name` FROM `chat`.`rooms` WHERE 1=1', 'SELECT', 'rooms'],
    ['SELECT id FROM users WHERE email = "canary@example.com" FOR UPDATE', 'SELECT', 'users'],
    ['INSERT IGNORE INTO inbox (consumer, event_id) VALUES (?, ?)', 'INSERT', 'inbox'],
    ["INSERT INTO heads (id) VALUES ('canary') ON DUPLICATE KEY UPDATE seq = 1", 'INSERT', 'heads'],
    ["UPDATE `user`.`users` SET name = 'canary' WHERE id = 1", 'UPDATE', 'users'],
    ['  delete from outbox where id in (1, 2)', 'DELETE', 'outbox'],
    ['COMMIT', 'COMMIT', undefined],
    ["SELECT GET_LOCK('canary', 0)", 'SELECT', undefined],
    ['', 'SQL', undefined],
  ])('%s', (sql, operation, table) => {
    expect(summaryOf(sql)).toEqual({ operation, table })
  })
})

it('an exported span contains no query, error text or statement', () => {
  const span = {
    attributes: {
      'url.query': 'ticket=canary',
      'url.full': 'http://host/users?q=canary',
      'url.path': '/users',
      'error.type': 'ER_DUP_ENTRY',
    },
    events: [
      {
        name: 'exception',
        time: [0, 0] as [number, number],
        attributes: {
          'exception.type': 'SqlError',
          'exception.message': 'Duplicate entry canary',
          'exception.stacktrace': 'SqlError: canary',
        },
      },
    ],
    status: { code: 2, message: 'E11000 { email: "canary" }' },
  }
  makeDiscreet(span)
  expect(JSON.stringify(span)).not.toContain('canary')
  expect(span.attributes).toEqual({
    'url.full': 'http://host/users',
    'url.path': '/users',
    'error.type': 'ER_DUP_ENTRY',
  })
  expect(span.events[0]!.attributes).toEqual({ 'exception.type': 'SqlError' })
})

describe('continueTrace', () => {
  it.each([undefined, 'nonsense', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`])(
    'runs the work and returns its result or error when tracing is off, with traceparent %s',
    (traceparent) => {
      expect(continueTrace(traceparent, 'x', {}, () => 7)).toBe(7)
      const failing = () => {
        throw new Error('own')
      }
      expect(() => continueTrace(traceparent, 'x', {}, failing)).toThrow('own')
    },
  )
})
