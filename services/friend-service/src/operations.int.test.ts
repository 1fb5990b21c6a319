import { pairStateAnnounced, userRegistered } from '@bigtech/contracts'
import type { Fact, ServiceOperations } from '@bigtech/service-kit'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../testing/harness.ts'
import { openOperations } from './operations.ts'

let harness: Harness
let operations: ServiceOperations

beforeAll(async () => {
  harness = await startHarness({ listen: true })
  operations = await openOperations({ DATABASE_URL: harness.mysql.url })
}, 60_000)
afterAll(async () => {
  await operations?.close()
  await harness?.stop()
})

async function all(facts: AsyncIterable<Fact>): Promise<Fact[]> {
  const found: Fact[] = []
  for await (const fact of facts) found.push(fact)
  return found
}

async function befriend(a: number, b: number): Promise<void> {
  await harness.call(a, 'POST', '/friends/request', { target_user_id: b })
  await harness.call(b, 'POST', '/friends/request', { target_user_id: a })
}

it('republish publishes the current state of each pair without repeating its history', async () => {
  const [ann = 0, bob = 0, eve = 0] = newUsers(3)
  await befriend(ann, bob)
  await harness.call(eve, 'POST', `/friends/${ann}/block`)
  const before = (await harness.eventsOf(ann, bob)).length

  expect(await operations.republish?.({ raiseVersions: false })).toBe(2)
  const events = await harness.eventsOf(ann, bob)
  expect(events).toHaveLength(before + 1)
  const [row] = await harness.mysql.query<{ version: number }>(
    'SELECT version FROM friendships WHERE user_low = ? AND user_high = ?',
    [ann, bob],
  )
  expect(pairStateAnnounced.parse(events.at(-1))).toMatchObject({
    user_low: ann,
    user_high: bob,
    friends: true,
    low_blocks_high: false,
    high_blocks_low: false,
    pair_version: row?.version,
  })
  expect(pairStateAnnounced.parse((await harness.eventsOf(ann, eve)).at(-1))).toMatchObject({
    user_low: ann,
    friends: false,
    high_blocks_low: true,
  })
})

it('republish raises the versions above those of any copy, for use after a restore', async () => {
  const [ann = 0, bob = 0] = newUsers(2)
  await befriend(ann, bob)
  await operations.republish?.({ raiseVersions: true })
  const event = pairStateAnnounced.parse((await harness.eventsOf(ann, bob)).at(-1))
  expect(event.pair_version).toBeGreaterThan(1_000_000)
})

it("the operations list friend-service's own pairs and its copies of users in id order", async () => {
  const [ann = 0, bob = 0] = newUsers(2)
  await befriend(ann, bob)
  await harness.call(ann, 'POST', `/friends/${bob}/restriction`)
  const owned = await all(operations.owned!())
  expect(owned).toContainEqual({
    kind: 'pair',
    ids: [ann, bob],
    fields: {
      friends: true,
      low_blocks_high: false,
      high_blocks_low: false,
      low_restricts_high: true,
      high_restricts_low: false,
    },
  })
  const keys = owned.map(({ ids: [low = 0, high = 0] }) => low * 1e6 + high)
  expect(keys).toEqual(keys.toSorted((a, b) => a - b))

  await harness.publish(userRegistered, {
    user_id: ann,
    email: 'ann@example.com',
    username: 'ann',
    display_name: 'Ann',
  })
  const copyOf = async (userId: number) =>
    (await all(operations.copies!.all())).find(({ ids }) => ids[0] === userId)?.fields
  await waitFor(async () => (await copyOf(ann))?.display_name === 'Ann')

  await operations.copies?.drop({ kind: 'user', ids: [ann], fields: {} })
  expect(await copyOf(ann)).toMatchObject({ deleted: true, display_name: '' })
})
