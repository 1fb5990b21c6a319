import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allEvents } from './index.ts'

const folder = join(import.meta.dirname, '..', '..', 'samples')

describe('event contracts', () => {
  it.each(allEvents.map((event) => [`${event.type}.v${event.version}`, event] as const))(
    '%s parses its frozen sample and drops unknown fields',
    (name, event) => {
      const sample = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
      expect(event.parse({ ...sample, added_by_a_newer_publisher: 1 })).toEqual(sample)
      expect(event.key(sample)).toMatch(/\S/)
    },
  )

  it('every frozen sample belongs to a known event', () => {
    const known = allEvents.map((event) => `${event.type}.v${event.version}.json`)
    expect(known).toEqual(expect.arrayContaining(readdirSync(folder)))
  })

  it('an event with a field outside the contract is not published', () => {
    const event = allEvents.find(({ type }) => type === 'UserLoggedIn')!
    const payload = { user_id: 1, session_id: crypto.randomUUID() }
    expect(() => event.create(payload, { correlationId: 'c' })).not.toThrow()
    expect(() => event.create({ ...payload, password: 'x' }, { correlationId: 'c' })).toThrow(/password/)
    expect(() => event.create({ user_id: 1 }, { correlationId: 'c' })).toThrow(/session_id/)
  })
})
