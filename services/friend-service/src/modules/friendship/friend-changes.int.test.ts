import { userDeleted, userUpdated } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../../testing/harness.ts'
import { scenesOf } from '../../../testing/scenes.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ listen: true })
}, 60_000)
afterAll(() => harness?.stop())
const { befriend } = scenesOf(() => harness)

interface Changes {
  readonly items: readonly {
    readonly user_id: number
    readonly removed: boolean
    readonly friend: { readonly nickname: string | null } | null
  }[]
  readonly since: string
  readonly has_more: boolean
}

async function changes(me: number, since?: string): Promise<Changes> {
  const query = since === undefined ? '' : `?since=${since}`
  const { status, body } = await harness.call(me, 'GET', `/friends/changes${query}`)
  expect(status).toBe(200)
  return body as unknown as Changes
}
const codeAt = async (me: number, since: string) =>
  (await harness.call(me, 'GET', `/friends/changes?since=${since}`)).body.code
const cursor = (position: unknown) => Buffer.from(JSON.stringify(position)).toString('base64url')
const idsOf = ({ items }: Changes) => items.map(({ user_id }) => user_id)

it('listFriendChanges returns each friend who was added, removed or given another note once, in the order of the changes', async () => {
  const [me, ann, bob, cho] = newUsers(4) as [number, number, number, number]
  await befriend(me, ann)
  await befriend(me, bob)
  const { since, items } = await changes(me)
  expect(items).toEqual([])
  expect(idsOf(await changes(me, since))).toEqual([])

  await harness.call(bob, 'DELETE', `/friends/${me}`)
  await befriend(me, cho)
  await harness.call(me, 'PATCH', `/friends/${ann}`, { nickname: '앤' })
  await harness.call(me, 'PATCH', `/friends/${cho}`, { favourite: true })
  const delta = await changes(me, since)
  expect(delta.items.map(({ user_id, removed }) => [user_id, removed])).toEqual([
    [bob, true],
    [ann, false],
    [cho, false],
  ])
  expect(delta.items[1]?.friend).toMatchObject({ nickname: '앤' })
  expect(delta.has_more).toBe(false)
  expect(idsOf(await changes(me, delta.since))).toEqual([])
  expect(idsOf(await changes(ann, (await changes(ann)).since))).toEqual([])
})

it("a block removes the friend from both copies, and a deleted account is removed from its friends' copies", async () => {
  const [me, ann, bob] = newUsers(3) as [number, number, number]
  await befriend(me, ann)
  await befriend(me, bob)
  const [mine, anns] = [(await changes(me)).since, (await changes(ann)).since]
  await harness.call(me, 'POST', `/friends/${ann}/block`)
  const removed = { user_id: me, removed: true, friend: null }
  expect((await changes(ann, anns)).items).toEqual([removed])
  await harness.publish(userDeleted, {
    user_id: bob,
    deletion_id: crypto.randomUUID(),
    message_policy: 'keep',
  })
  const both = await waitFor(
    async () => {
      const delta = await changes(me, mine)
      return delta.items.length === 2 && delta
    },
    { timeoutMs: 30_000 },
  )
  expect(both.items.map(({ user_id, removed }) => [user_id, removed])).toEqual([
    [ann, true],
    [bob, true],
  ])
}, 60_000)

it("a friend's profile update is a change, and a stranger's is not", async () => {
  const [me, ann, stranger] = newUsers(3) as [number, number, number]
  await befriend(me, ann)
  // The present position repeats the last minute: a moment later it starts after the friendship was stored.
  harness.clock += 120_000
  const { since } = await changes(me)
  harness.clock -= 120_000
  for (const user_id of [stranger, ann]) {
    await harness.publish(userUpdated, {
      ...{ user_id, username: `name${user_id}`, display_name: '새 이름', status_message: null },
      ...{ profile_image_url: null, locale: 'ko', profile_version: 9 },
    })
  }
  await harness.mysql.query(
    'UPDATE people SET changed_at = changed_at + INTERVAL 5 MINUTE WHERE user_id = ?',
    [stranger],
  )
  await waitFor(
    async () =>
      (await harness.mysql.query('SELECT 1 FROM people WHERE user_id = ? AND version = 9', [ann])).length ===
      1,
    { timeoutMs: 30_000 },
  )
  await harness.mysql.query(
    'UPDATE people SET changed_at = changed_at + INTERVAL 5 MINUTE WHERE user_id = ?',
    [ann],
  )
  expect(idsOf(await changes(me, since))).toEqual([ann])
})

it('changes that do not fit into one response are returned page by page without gaps or duplicates', async () => {
  const [me, ...others] = newUsers(231) as [number, ...number[]]
  let { since } = await changes(me)
  const rows = (values: (other: number, index: number) => string) => others.map(values).join()
  await harness.mysql.query(
    `INSERT INTO friendships (user_low, user_high, status, friends_since)
     VALUES ${rows((other) => `(${me}, ${other}, 'friends', UTC_TIMESTAMP(3))`)}`,
  )
  await harness.mysql.query(
    `INSERT INTO friend_changes VALUES ${rows((other, index) => `(${me}, ${other}, ${index + 1}, UTC_TIMESTAMP(3))`)}`,
  )
  await harness.mysql.query(`INSERT INTO friend_change_heads VALUES (${me}, ${others.length})`)
  const pages: number[][] = []
  for (let more = true; more && pages.length < 9; ) {
    const delta = await changes(me, since)
    pages.push(idsOf(delta))
    more = delta.has_more
    since = delta.since
  }
  expect(pages.map(({ length }) => length)).toEqual([100, 100, 30])
  expect(pages.flat()).toEqual(others)
})

it('concurrent changes by both users are not lost', async () => {
  const [me, ...others] = newUsers(6) as [number, ...number[]]
  const { since } = await changes(me)
  await Promise.all(others.map((other) => befriend(me, other)))
  const seen = new Set<number>()
  await Promise.all([
    ...others.map((other) => harness.call(other, 'DELETE', `/friends/${me}`)),
    (async () => {
      let position = since
      await waitFor(async () => {
        const delta = await changes(me, position)
        for (const { user_id, removed } of delta.items) if (removed) seen.add(user_id)
        position = delta.since
        return seen.size === others.length
      })
    })(),
  ])
  expect([...seen].sort()).toEqual(others)
}, 60_000)

it('a position older than 30 days, or never issued, gets 410, which tells the client to fetch the whole list', async () => {
  const [me, ann] = newUsers(2) as [number, number]
  await befriend(me, ann)
  const old = cursor([0, harness.clock - 31 * 86_400_000, 0])
  expect(await codeAt(me, old)).toBe('FRIEND_CHANGES_EXPIRED')
  expect(await codeAt(me, cursor([99, harness.clock, 0]))).toBe('FRIEND_CHANGES_EXPIRED')
  for (const wrong of ['rubbish', cursor(['a']), cursor([-1, 0, 0])])
    expect(await codeAt(me, wrong)).toBe('CURSOR_INVALID')
})
