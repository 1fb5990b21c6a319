import { PermanentError } from '@bigtech/kafka'
import { accepted } from '@bigtech/kafka/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../testing/database.ts'
import { applyOnce, once, onceForAll, PartlyApplied, purgeInbox } from './inbox.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db.drop())

const effectsOf = (eventId: string) => db.mysql.query('SELECT * FROM effect WHERE event_id = ?', [eventId])

describe('inbox', () => {
  it('the inbox applies an event once under concurrent deliveries', async () => {
    const event = accepted(1)
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () =>
        applyOnce(db, 'a', event, (tx) =>
          tx.query('INSERT INTO effect VALUES (?, ?)', [event.event_id, 'a']),
        ),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1)
    expect(await effectsOf(event.event_id)).toHaveLength(1)
  })

  it('the inbox row of a failed effect is rolled back, so that the event can be applied later', async () => {
    const event = accepted(2)
    const failing = applyOnce(db, 'a', event, () => Promise.reject(new Error('effect failed')))
    await expect(failing).rejects.toThrow('effect failed')
    expect(await applyOnce(db, 'a', event, async () => {})).toBe('applied')
  })

  it('the inbox deduplicates per consumer', async () => {
    const { event_id } = accepted(3)
    expect(await db.$transaction((tx) => once(tx, 'a', event_id))).toBe(true)
    expect(await db.$transaction((tx) => once(tx, 'b', event_id))).toBe(true)
    expect(await db.$transaction((tx) => once(tx, 'a', event_id))).toBe(false)
  })

  it('the inbox records several events together unless some of them are recorded already', async () => {
    const ids = [5, 6, 7].map((n) => accepted(n).event_id)
    const record = (some: readonly string[]) => db.$transaction((tx) => onceForAll(tx, 'a', some))
    expect(await record(ids.slice(0, 2))).toBe(true)
    expect(await record(ids.slice(0, 2))).toBe(false)
    await expect(record(ids)).rejects.toBeInstanceOf(PartlyApplied)
    // The failed transaction has left the third one to a later call.
    expect(await record([ids[2]!])).toBe(true)
    const twice = accepted(8).event_id
    await expect(record([twice, twice])).rejects.toBeInstanceOf(PartlyApplied)
  })

  it('the inbox rejects an id that the database would truncate', async () => {
    const call = db.$transaction((tx) => once(tx, 'a', `${accepted(4).event_id}0`))
    await expect(call).rejects.toBeInstanceOf(PermanentError)
  })

  it('the purge deletes every old row, regardless of the number of rows since the last purge', async () => {
    await fill(5, 3)
    expect(await db.$transaction((tx) => purgeInbox(tx, 30, 2))).toBe(3)
    expect(await db.$transaction((tx) => purgeInbox(tx, 30, 2))).toBe(0)
    expect(await db.mysql.query('SELECT * FROM inbox')).toHaveLength(2)
  })

  it('a long purge continues at the next call', async () => {
    await fill(5, 5)
    expect(await db.$transaction((tx) => purgeInbox(tx, 30, 2, 0))).toBe(2)
    expect(await db.$transaction((tx) => purgeInbox(tx, 30, 2, 0))).toBe(2)
  })
})

async function fill(rows: number, old: number): Promise<void> {
  await db.mysql.query('DELETE FROM inbox')
  for (let n = 0; n < rows; n++) await db.$transaction((tx) => once(tx, 'a', accepted(n).event_id))
  await db.mysql.query(`UPDATE inbox SET processed_at = processed_at - INTERVAL 31 DAY LIMIT ${old}`)
}
