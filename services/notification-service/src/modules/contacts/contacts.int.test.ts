import { userBlocked, userDeleted, userUnblocked, uuidv7 } from '@bigtech/contracts'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Harness, newIds, startHarness } from '../../../testing/harness.ts'
import { scenesOf } from '../../../testing/scenes.ts'
import { createMysql, type Mysql } from '../../infrastructure/mysql.ts'
import { ContactsRepository } from './contacts.repository.ts'

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
