import { friendRequestAccepted, pairStateAnnounced, userBlocked } from '@bigtech/contracts'
import type { Fact, ServiceOperations } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestService, type TestWorld, testWorld } from '../testing/harness.ts'
import { openOperations } from './operations.ts'

let world: TestWorld
let service: TestService
let operations: ServiceOperations

beforeAll(async () => {
  world = await testWorld()
  service = await world.build()
  operations = await openOperations({
    NODE_ENV: 'test',
    DATABASE_URL: world.mysql.url,
    REDIS_URL: world.redis.url,
    KAFKA_BROKERS: world.kafka.brokers.join(','),
    KAFKA_TOPIC_PREFIX: world.kafka.topicPrefix,
    JWT_PRIVATE_KEY_FILE: world.keyFile,
    TOTP_KEYS: 'a-key-of-tests-alone',
    FRIEND_SERVICE_URL: 'http://127.0.0.1:9',
    CHAT_SERVICE_URL: 'http://127.0.0.1:9',
    NOTIFICATION_SERVICE_URL: 'http://127.0.0.1:9',
    MEDIA_SERVICE_URL: 'http://127.0.0.1:9',
  })
}, 60_000)
afterAll(async () => {
  await operations?.close()
  await world?.close()
})

async function find(facts: AsyncIterable<Fact>, ...ids: number[]): Promise<Fact['fields'] | undefined> {
  for await (const fact of facts) if (fact.ids.join() === ids.join()) return fact.fields
  return undefined
}

it("the operations list a user's sessions and end one or all of them, and the tokens are refused immediately", async () => {
  const person = await service.person()
  const second = (await service.login(person.email)).body
  const sessions = await operations.users!.sessions(person.userId)
  expect(sessions).toHaveLength(2)
  expect(await operations.users!.revoke(person.userId, sessions[0]?.id)).toBe(1)
  expect(await operations.users!.sessions(person.userId)).toHaveLength(1)
  expect(await operations.users!.revoke(person.userId)).toBe(1)
  for (const token of [person.token, second.access_token]) {
    await waitFor(async () => (await service.call('GET', '/profile/me', { token })).status === 401)
  }
})

it('an operator can delete an account without its password', async () => {
  const person = await service.person()
  expect(await operations.users!.erase(person.userId, 'remove')).toMatch(/^[0-9a-f-]{36}$/)
  expect((await service.login(person.email)).status).toBe(401)
  await expect(operations.users!.erase(person.userId, 'remove')).rejects.toThrow(
    `There is no active account ${person.userId}.`,
  )
  await waitFor(async () => (await find(operations.owned!(), person.userId))?.email === null)
})

it('an account that signs in with Google only can be deleted without a password', async () => {
  const person = await service.person()
  await world.mysql.query('DELETE FROM credentials WHERE user_id = ?', [person.userId])
  expect(await operations.users!.erase(person.userId, 'keep')).toMatch(/^[0-9a-f-]{36}$/)
})

it('an export fails when a service does not respond, so that an incomplete archive is never taken for a complete one', async () => {
  const person = await service.person()
  const read = async () => {
    const parts: Uint8Array[] = []
    for await (const part of operations.users!.exportData(person.userId)) parts.push(part)
    return Buffer.concat(parts).toString()
  }
  await expect(read()).rejects.toThrow('friend-service')
})

it('republish publishes every user again, deleted ones as deleted, with raised versions after a restore', async () => {
  const [kept, deleted] = [await service.person(), await service.person()]
  await operations.users!.erase(deleted.userId, 'keep')
  await waitFor(async () => (await find(operations.owned!(), deleted.userId))?.deleted === true)
  const newest = async (userId: number) => {
    const rows = await world.mysql.query<{ event_type: string; payload: string }>(
      "SELECT event_type, payload FROM outbox WHERE msg_key = ? AND topic = 'user.events' ORDER BY id DESC LIMIT 1",
      [String(userId)],
    )
    return { type: rows[0]?.event_type, ...JSON.parse(rows[0]?.payload ?? '{}') }
  }
  await operations.republish?.({ raiseVersions: false })
  const first = await newest(kept.userId)
  expect(first).toMatchObject({ type: 'UserUpdated', email: kept.email, username: kept.username })
  expect(await newest(deleted.userId)).toMatchObject({ type: 'UserDeleted', message_policy: 'keep' })

  await operations.republish?.({ raiseVersions: true })
  expect((await newest(kept.userId)).profile_version).toBe(first.profile_version + 1_000_000)
})

it("friend-service's announcement replaces the copy of a pair, and a pair without an owner is dropped", async () => {
  const [ann, bob] = [await service.person(), await service.person()]
  const pair = [ann.userId, bob.userId] as const
  const copy = () => find(operations.copies!.all(), ...pair)
  await world.publish(friendRequestAccepted, { request_id: 1, from_user_id: pair[0], to_user_id: pair[1] })
  await waitFor(async () => (await copy())?.friends === true)

  const state = { user_low: pair[0], user_high: pair[1], friends: false, low_blocks_high: false }
  const restrictions = { low_restricts_high: true, high_restricts_low: false }
  await world.publish(pairStateAnnounced, { ...state, high_blocks_low: true, ...restrictions })
  await waitFor(async () => (await copy())?.high_blocks_low === true)
  expect(await copy()).toEqual({
    friends: false,
    low_blocks_high: false,
    high_blocks_low: true,
    ...restrictions,
  })

  await world.publish(userBlocked, { blocker_id: pair[0], blocked_id: pair[1] })
  await waitFor(async () => (await copy())?.low_blocks_high === true)
  await operations.copies?.drop({ kind: 'pair', ids: pair, fields: {} })
  expect(await copy()).toBeUndefined()
})

it('the operations show and grant a role, which ends the sessions of the user who gets it', async () => {
  const person = await service.person()
  expect(await operations.users!.role(person.username)).toEqual({ username: person.username, role: 'user' })
  expect(await operations.users!.setRole(person.email, 'operator')).toBe(1)
  expect(await operations.users!.role(person.email)).toMatchObject({ role: 'operator' })
  await waitFor(
    async () => (await service.call('GET', '/profile/me', { token: person.token })).status === 401,
  )
  expect(await operations.users!.setRole('nobody.by.this.name', 'operator')).toBeNull()
  expect(await operations.users!.role('nobody.by.this.name')).toBeNull()
})
