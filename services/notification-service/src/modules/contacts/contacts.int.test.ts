import {
  pairStateAnnounced,
  userBlocked,
  userDeleted,
  userRestricted,
  userUnblocked,
  userUnrestricted,
  uuidv7,
} from '@bigtech/contracts'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Harness, newIds, startHarness } from '../../../testing/harness.ts'
import { everythingOn, scenesOf } from '../../../testing/scenes.ts'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { contactCopies } from './contacts.copies.ts'
import { ContactsRepository } from './contacts.repository.ts'
import { pairOf } from './contacts.ts'

let harness: Harness
let mysql: Mysql
let contacts: ContactsRepository
beforeAll(async () => {
  harness = await startHarness()
  mysql = createMysql(harness.mysql.url, new Registry())
  contacts = new ContactsRepository(mysql)
})
afterAll(async () => {
  await mysql.close()
  await harness.stop()
})
const { register } = scenesOf(() => harness)

it('a blocker is nameless to the blocked user, and a deleted account to everyone', async () => {
  const [blocker, blocked, other] = newIds(3) as [number, number, number]
  const tell = async (definition: typeof userBlocked | typeof userUnblocked) => {
    const eventId = uuidv7()
    await harness.publish(definition, { blocker_id: blocker, blocked_id: blocked }, { eventId })
    await harness.applied(eventId)
  }
  const registered = uuidv7()
  await register(blocker, 'ko', registered)
  await harness.applied(registered)
  await tell(userBlocked)
  expect(await contacts.nameFor(blocked, blocker)).toBeNull()
  expect(await contacts.nameFor(other, blocker)).toBe(`사람 ${blocker}`)
  await tell(userUnblocked)
  expect(await contacts.nameFor(blocked, blocker)).toBe(`사람 ${blocker}`)
  await tell(userBlocked)
  const deleted = uuidv7()
  const deletion = { user_id: blocker, deletion_id: crypto.randomUUID(), message_policy: 'keep' as const }
  await harness.publish(userDeleted, deletion, { eventId: deleted })
  await harness.applied(deleted)
  expect(await contacts.nameFor(other, blocker)).toBeNull()
  expect(await harness.mysql.query('SELECT 1 FROM blocks WHERE blocker_id = ?', [blocker])).toEqual([])
  expect(await contacts.nameFor(other, blocked)).toBeUndefined()
})

it('the copy of a restriction follows its events and announcements, is compared by pair, and ends with either account', async () => {
  const [low, high] = newIds(2).sort((a, b) => a - b) as [number, number]
  const applied = async (...[definition, payload]: Parameters<Harness['publish']>) => {
    const eventId = uuidv7()
    await harness.publish(definition, payload, { eventId })
    await harness.applied(eventId)
  }
  const copies = contactCopies(mysql, contacts)
  const copy = async () => {
    for await (const { kind, ids, fields } of copies.all())
      if (kind === 'pair' && ids[0] === low && ids[1] === high) return fields
    return undefined
  }
  const restricts = async (restricterId: number, restrictedId: number) =>
    (await contacts.restrictions([low, high], [low, high])).has(pairOf(restricterId, restrictedId))
  const pair = { restricter_id: high, restricted_id: low }
  await applied(userRestricted, pair)
  expect(await restricts(high, low)).toBe(true)
  expect(await restricts(low, high)).toBe(false)
  expect(await copy()).toEqual({
    low_blocks_high: false,
    high_blocks_low: false,
    low_restricts_high: false,
    high_restricts_low: true,
  })
  await applied(userUnrestricted, pair)
  expect(await copy()).toBeUndefined()
  const state = {
    user_low: low,
    user_high: high,
    friends: true,
    low_blocks_high: false,
    high_blocks_low: false,
  }
  await applied(pairStateAnnounced, { ...state, low_restricts_high: true, high_restricts_low: true })
  expect(await restricts(low, high)).toBe(true)
  await copies.drop({ kind: 'pair', ids: [low, high], fields: {} })
  expect(await copy()).toBeUndefined()
  await applied(userRestricted, pair)
  await applied(userDeleted, { user_id: low, deletion_id: crypto.randomUUID(), message_policy: 'keep' })
  expect(await copy()).toBeUndefined()
})

it('a registration stores the initial preferences once: a repeated or late event changes nothing', async () => {
  const [person, early, deleted] = newIds(3) as [number, number, number]
  const rows = (userId: number) =>
    harness.mysql.query<Record<string, unknown>>('SELECT * FROM preferences WHERE user_id = ?', [userId])
  const registered = async (userId: number, eventId = uuidv7()) => {
    await register(userId, 'ko', eventId)
    await harness.applied(eventId)
    return eventId
  }
  const eventId = await registered(person)
  expect(await rows(person)).toMatchObject([{ message_push: 1, friend_request_push: 1, quiet_start: null }])
  const chosen = { ...everythingOn, message_push: false }
  await harness.call(person, 'PUT', '/notifications/preferences', chosen)
  // The same event again, another after it in the same partition, and one that comes after the user has chosen.
  await register(person, 'ko', eventId)
  await registered(person)
  await harness.call(early, 'PUT', '/notifications/preferences', chosen)
  await registered(early)
  for (const userId of [person, early]) expect(await rows(userId)).toMatchObject([{ message_push: 0 }])
  const erased = uuidv7()
  const deletion = { user_id: deleted, deletion_id: crypto.randomUUID(), message_policy: 'keep' as const }
  await harness.publish(userDeleted, deletion, { eventId: erased })
  await harness.applied(erased)
  await registered(deleted)
  expect(await rows(deleted)).toEqual([])
})
