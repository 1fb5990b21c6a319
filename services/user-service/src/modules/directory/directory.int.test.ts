import { friendRequestAccepted, userBlocked, userUnblocked } from '@bigtech/contracts'
import { uniqueName, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Person, type TestService, type TestWorld, testWorld } from '../../../testing/harness.ts'

let world: TestWorld
let users: TestService

beforeAll(async () => {
  world = await testWorld()
  users = await world.build()
})
afterAll(() => world.close())

async function search(viewer: Person, q: string, rest = ''): Promise<number[]> {
  const answer = await users.call('GET', `/users/search?q=${encodeURIComponent(q)}${rest}`, {
    token: viewer.token,
  })
  expect(answer.status, answer.text).toBe(200)
  return answer.body.items.map((user: { user_id: number }) => user.user_id)
}

const block = (blocker: Person, blocked: Person) =>
  world.publish(userBlocked, { blocker_id: blocker.userId, blocked_id: blocked.userId })

const blocksOf = (blocker: Person) =>
  world.mysql.query('SELECT * FROM blocks WHERE blocker_id = ?', [blocker.userId])

describe('searching', () => {
  it('search finds users by the beginning of username and display name, once each', async () => {
    const viewer = await users.person()
    const name = uniqueName('gil')
    const person = await users.person({ username: name, display_name: name })
    expect(await search(viewer, name.slice(0, 8))).toEqual([person.userId])
    expect(await search(viewer, name.slice(2))).toEqual([])
  })

  it('search finds Korean names by syllables, half-typed syllables and initial consonants', async () => {
    const viewer = await users.person()
    const person = await users.person({ display_name: '뷁쀍궯' })
    for (const typed of ['뷁', '뷁쀍궯', '뷁쀄', 'ㅂㅃㄱ', '뷁ㅃㄱ']) {
      expect(await search(viewer, typed), typed).toEqual([person.userId])
    }
    expect(await search(viewer, 'ㅂㅃㅋ')).toEqual([])
  })

  it('search treats % and _ as plain characters', async () => {
    const viewer = await users.person()
    const name = uniqueName('a_')
    const person = await users.person({ username: name })
    await users.person({ username: name.replace('_', 'x') })
    expect(await search(viewer, name)).toEqual([person.userId])
    expect(await search(viewer, '%')).toEqual([])
  })

  it('search no longer finds a renamed user by the old name', async () => {
    const viewer = await users.person()
    const [before, after] = [uniqueName('before'), uniqueName('after')]
    const person = await users.person({ display_name: before })
    await users.call('PUT', '/profile/me', { token: person.token, body: { display_name: after } })
    expect(await search(viewer, before)).toEqual([])
    expect(await search(viewer, after)).toEqual([person.userId])
  })

  it('search finds an exact address only of users who allow it', async () => {
    const [viewer, person] = [await users.person(), await users.person()]
    expect(await search(viewer, person.email)).toEqual([])
    const body = { findable_by_email: true }
    await users.call('PUT', '/profile/me/settings', { token: person.token, body })
    // A user who registered with a foreign address must not be found by it.
    expect(await search(viewer, person.email)).toEqual([])
    await world.mysql.query('UPDATE users SET email_verified_at = NOW(3) WHERE id = ?', [person.userId])
    expect(await search(viewer, person.email.toUpperCase())).toEqual([person.userId])
    expect(await search(viewer, person.email.slice(0, -1))).toEqual([])
  })

  it('search by name hides users who opted out from everybody but themselves, and their profile is still readable by id', async () => {
    const name = uniqueName('shy')
    const [viewer, shy] = [await users.person(), await users.person({ display_name: name })]
    const change = (findable_by_name: boolean) =>
      users.call('PUT', '/profile/me/settings', { token: shy.token, body: { findable_by_name } })
    expect(await search(viewer, name)).toEqual([shy.userId])
    expect((await change(false)).body.findable_by_name).toBe(false)
    expect(await search(viewer, name)).toEqual([])
    expect(await search(viewer, shy.username)).toEqual([])
    expect(await search(shy, name)).toEqual([shy.userId])
    expect((await users.call('GET', `/users/${shy.userId}`, { token: viewer.token })).status).toBe(200)
    await change(true)
    expect(await search(viewer, name)).toEqual([shy.userId])
  })

  it('search and profiles never return an address', async () => {
    const [viewer, person] = [await users.person(), await users.person()]
    for (const url of [
      `/users/search?q=${person.username}`,
      `/users?user_ids=${person.userId}`,
      `/users/${person.userId}`,
    ]) {
      const answer = await users.call('GET', url, { token: viewer.token })
      expect(answer.text).toContain(person.username)
      expect(answer.text).not.toContain('@')
    }
  })

  it('search pages without gaps or duplicates while users join', async () => {
    const viewer = await users.person()
    const name = uniqueName('page')
    const ids = []
    for (let n = 0; n < 9; n++)
      ids.push(
        (await users.person({ username: `${name}${n * 10 + 10}`, display_name: `${name} ${n}` })).userId,
      )
    const found: number[] = []
    let cursor = ''
    for (let page = 0; page < 10; page++) {
      const url = `/users/search?q=${name}&limit=2${cursor && `&cursor=${cursor}`}`
      const { body } = await users.call('GET', url, { token: viewer.token })
      found.push(...body.items.map((user: { user_id: number }) => user.user_id))
      // Matches a term before the cursor: neither on this page, nor by the other name on a later one.
      if (page === 1) await users.person({ username: `${name}00`, display_name: `${name} !` })
      if (!body.next_cursor) break
      cursor = body.next_cursor
    }
    expect([...found].sort()).toEqual([...ids].sort())
  })

  it('search is limited to 20 requests per minute and user', async () => {
    const [viewer, other] = [await users.person(), await users.person()]
    const answers = []
    for (let n = 0; n < 21; n++)
      answers.push(await users.call('GET', '/users/search?q=zz', { token: viewer.token }))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
    expect(answers[20]!.body.code).toBe('RATE_LIMITED')
    expect(Number(answers[20]!.headers['retry-after'])).toBeGreaterThan(30)
    expect(await search(other, 'zz')).toEqual([])
  })

  it('search reads names in index order without sorting', async () => {
    const plan = await world.mysql.query<Record<string, unknown>>(
      `EXPLAIN SELECT STRAIGHT_JOIN t.term, u.id FROM user_search_terms t JOIN users u ON u.id = t.user_id
       WHERE t.term LIKE 'gil%' AND t.term >= 'gila' AND (t.term > 'gila' OR t.user_id > 3) AND u.status = 'active'
         AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.blocker_id = u.id AND b.blocked_id = 1)
       ORDER BY t.term, t.user_id LIMIT 200`,
    )
    expect(plan[0]).toMatchObject({ table: 't', type: 'range', key: 'PRIMARY' })
    expect(plan[1]).toMatchObject({ table: 'u', type: 'eq_ref', key: 'PRIMARY' })
    expect(JSON.stringify(plan)).not.toContain('filesort')
  })
})

describe('a blocked pair', () => {
  it('a blocked pair cannot find each other until unblocked', async () => {
    const [blocker, blocked] = [await users.person(), await users.person()]
    await block(blocker, blocked)
    await waitFor(async () => (await blocksOf(blocker)).length === 1)
    expect(await search(blocker, blocked.username)).toEqual([])
    expect(await search(blocked, blocker.username)).toEqual([])
    const body = { findable_by_email: true }
    await users.call('PUT', '/profile/me/settings', { token: blocker.token, body })
    expect(await search(blocked, blocker.email)).toEqual([])
    await world.publish(userUnblocked, { blocker_id: blocker.userId, blocked_id: blocked.userId })
    await waitFor(async () => (await blocksOf(blocker)).length === 0)
    expect(await search(blocked, blocker.username)).toEqual([blocker.userId])
  })

  it('a blocked user gets the same response as for an unknown user, while the blocker can still unblock', async () => {
    const [blocker, blocked] = [await users.person(), await users.person()]
    await block(blocker, blocked)
    await waitFor(async () => (await blocksOf(blocker)).length === 1)
    const refused = await users.call('GET', `/users/${blocker.userId}`, { token: blocked.token })
    const unknown = await users.call('GET', '/users/4000000000', { token: blocked.token })
    const shape = ({ request_id: _request, instance: _instance, ...rest }: Record<string, unknown>) => rest
    expect(refused.status).toBe(404)
    expect(shape(refused.body)).toEqual(shape(unknown.body))
    const many = await users.call('GET', `/users?user_ids=${blocker.userId},${blocked.userId}`, {
      token: blocked.token,
    })
    expect(many.body.items.map(({ user_id }: { user_id: number }) => user_id)).toEqual([blocked.userId])
    expect((await users.call('GET', `/users/${blocked.userId}`, { token: blocker.token })).status).toBe(200)
  })

  it('duplicate events do not change a blocked pair', async () => {
    const [blocker, blocked] = [await users.person(), await users.person()]
    const eventId = crypto.randomUUID()
    const payload = { blocker_id: blocker.userId, blocked_id: blocked.userId }
    await world.publish(userBlocked, payload, { eventId })
    await world.publish(userUnblocked, payload)
    await world.publish(userBlocked, payload, { eventId })
    // Same partition as the pair: all earlier events have been handled when this one has.
    const request = { request_id: 1, from_user_id: blocker.userId, to_user_id: blocked.userId }
    await world.publish(friendRequestAccepted, request)
    await waitFor(
      async () =>
        (await world.mysql.query('SELECT * FROM friendships WHERE low = ?', [blocker.userId])).length,
    )
    expect(await blocksOf(blocker)).toEqual([])
  })
})

describe('reading profiles', () => {
  it('200 profiles are read in one query, plus one for uncached profiles', async () => {
    const viewer = await users.person()
    const ids = Array.from({ length: 200 }, (_, n) => n + 1)
    const count = (name: string) =>
      users.metric(new RegExp(`store_request_duration_seconds_count.*operation="${name}"`))
    const before = [await count('relationsAmong'), await count('findProfiles')]
    const answer = await users.call('GET', `/users?user_ids=${ids}`, { token: viewer.token })
    const after = [await count('relationsAmong'), await count('findProfiles')]
    expect(answer.status).toBe(200)
    expect(after).toEqual([before[0]! + 1, before[1]! + 1])
    const tooMany = await users.call('GET', `/users?user_ids=${[...ids, 201]}`, { token: viewer.token })
    expect(tooMany.body.code).toBe('VALIDATION_FAILED')
  })

  it.each(['abc', '0', '-1', '1.5'])('reading profiles rejects the id %s', async (id) => {
    const { token } = await users.person()
    expect((await users.call('GET', `/users/${id}`, { token })).status).toBe(422)
    expect((await users.call('GET', `/users?user_ids=${id}`, { token })).status).toBe(422)
  })
})

describe('profiles and presence by id', () => {
  it('profiles and presence by id share one limit per user, which excludes friends and the user', async () => {
    const [viewer, friend] = [await users.person(), await users.person()]
    await world.publish(friendRequestAccepted, {
      request_id: 1,
      from_user_id: viewer.userId,
      to_user_id: friend.userId,
    })
    await waitFor(
      async () =>
        (await world.mysql.query('SELECT 1 FROM friendships WHERE low = ?', [viewer.userId])).length === 1,
    )
    const ask = (path: string, first: number, count = 200) => {
      const ids = Array.from({ length: count }, (_, n) => first + n).join(',')
      return users.call('GET', `${path}?user_ids=${ids}`, { token: viewer.token })
    }
    for (let n = 0; n < 10; n++) {
      const answer = await ask(n % 2 ? '/users' : '/users/presence', 10_000 + n * 200)
      expect(answer.status, answer.text).toBe(200)
    }
    const refused = await ask('/users', 20_000, 1)
    expect(refused.body.code).toBe('RATE_LIMITED')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(60)
    expect((await ask('/users/presence', 20_000, 1)).status).toBe(429)
    expect((await users.call('GET', '/users/20000', { token: viewer.token })).status).toBe(429)
    expect((await ask('/users', friend.userId, 1)).body.items).toHaveLength(1)
    expect((await ask('/users/presence', viewer.userId, 1)).status).toBe(200)
    expect((await users.call('GET', '/users/20000', { token: friend.token })).status).toBe(404)
  })
})
