import { fileURLToPath } from 'node:url'
import { friendRequestAccepted, friendRequestSent, userRegistered } from '@bigtech/contracts'
import { createMetrics } from '@bigtech/service-kit'
import { collectEvents, describeConformance, describeMigrations, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, migrationsDir, newUsers, startHarness } from '../../../testing/harness.ts'
import { scenesOf } from '../../../testing/scenes.ts'
import { createMysql } from '../../infrastructure/mysql.ts'
import { FriendshipRepository } from './friendship.repository.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
afterAll(() => harness.stop())
const { request, idsOf } = scenesOf(() => harness)

describe('friendship', () => {
  it('sendFriendRequest, acceptFriendRequest, listFriends: both users become friends and both events are published', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const events = await collectEvents({
      brokers: harness.kafka.brokers,
      topicPrefix: harness.kafka.topicPrefix,
      topics: ['friend.events'],
    })
    const sent = await request(mina, joon)
    expect(sent).toMatchObject({
      status: 201,
      body: { from_user_id: mina, to_user_id: joon, status: 'pending' },
    })
    const incoming = await harness.call(joon, 'GET', '/friends/requests?direction=incoming')
    expect(incoming.body.items).toMatchObject([
      { request_id: sent.body.request_id, user: { user_id: mina, display_name: `User ${mina}` } },
    ])
    const accepted = await harness.call(joon, 'POST', `/friends/requests/${sent.body.request_id}/accept`)
    expect(accepted).toMatchObject({ status: 200, body: { status: 'accepted' } })
    for (const [me, other] of [
      [mina, joon],
      [joon, mina],
    ] as const) {
      const list = await harness.call(me, 'GET', '/friends')
      expect(list).toMatchObject({
        status: 200,
        body: {
          items: [{ user_id: other, username: `user${other}`, online: other % 2 === 0 }],
          next_cursor: null,
          stale: false,
        },
      })
    }
    await events.waitFor(friendRequestSent, (event) => event.from_user_id === mina)
    await events.waitFor(friendRequestAccepted, (event) => event.to_user_id === joon)
    await events.stop()
  })

  it('the list of friends returns names from user.events marked as stale while user-service is down', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    await harness.publish(userRegistered, {
      user_id: joon,
      email: 'joon@example.com',
      username: 'joon',
      display_name: '준',
    })
    await waitFor(
      async () => (await harness.mysql.query('SELECT 1 FROM people WHERE user_id = ?', [joon])).length === 1,
    )
    const sent = await request(mina, joon)
    await harness.call(joon, 'POST', `/friends/requests/${sent.body.request_id}/accept`)
    harness.userService.down = true
    try {
      const list = await harness.call(mina, 'GET', '/friends')
      expect(list).toMatchObject({
        status: 200,
        body: { stale: true, items: [{ user_id: joon, display_name: '준', online: null }] },
      })
    } finally {
      harness.userService.down = false
    }
  })
})

describe('requests', () => {
  it('two users who send each other requests concurrently become friends once', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const answers = await Promise.all([request(mina, joon), request(joon, mina)])
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    expect(answers.map(({ body }) => body.status).sort()).toEqual(['accepted', 'pending'])
    const events = await harness.eventsOf(mina, joon)
    expect(events.map((event) => event.event_type)).toEqual(['FriendRequestSent', 'FriendRequestAccepted'])
  })

  it('at most 50 requests are pending, even with 20 concurrent sends', async () => {
    const [me, ...others] = newUsers(61) as [number, ...number[]]
    const answers = []
    for (let from = 0; from < 60; from += 20) {
      answers.push(...(await Promise.all(others.slice(from, from + 20).map((other) => request(me, other)))))
    }
    const codes = answers.map(({ status, body }) => (status === 201 ? 'sent' : body.code))
    expect(codes.filter((code) => code === 'sent')).toHaveLength(50)
    expect(codes.filter((code) => code === 'FRIEND_REQUEST_LIMIT')).toHaveLength(10)
    const limited = answers.find(({ status }) => status === 429)
    expect(limited?.retryAfter, 'time until the first request expires').toBeGreaterThan(29 * 86_400)
    const page = await idsOf(me, '/friends/requests?direction=outgoing&limit=100', 'request_id')
    expect(page).toHaveLength(50)
    await harness.call(me, 'DELETE', `/friends/requests/${page[0]}`)
    expect((await request(me, newUsers(1)[0]!)).status).toBe(201)
  })

  it('concurrent accepts create one friendship and one event and get the same response', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const { body } = await request(mina, joon)
    const url = `/friends/requests/${body.request_id}/accept`
    const answers = await Promise.all(Array.from({ length: 10 }, () => harness.call(joon, 'POST', url)))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]!.status).toBe(200)
    expect(await harness.eventsOf(mina, joon)).toHaveLength(2)
  })

  it('a rejection is silent: the sender still sees the request and cannot repeat it', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const { body } = await request(mina, joon)
    const rejected = await harness.call(joon, 'POST', `/friends/requests/${body.request_id}/reject`)
    expect(rejected).toMatchObject({ status: 200, body: { status: 'rejected' } })
    expect(await idsOf(joon, '/friends/requests', 'request_id')).toEqual([])
    const outgoing = await harness.call(mina, 'GET', '/friends/requests?direction=outgoing')
    expect(outgoing.body.items).toMatchObject([{ request_id: body.request_id, status: 'pending' }])
    expect((await request(mina, joon)).body.code).toBe('FRIEND_REQUEST_EXISTS')
    await harness.call(mina, 'DELETE', `/friends/requests/${body.request_id}`)
    expect((await request(mina, joon)).status).toBe(201)
    expect(await idsOf(joon, '/friends/requests', 'request_id')).toEqual([])
  })

  it('requests expire after 30 days: they become invisible, and the event is published without a trigger', async () => {
    const [mina, joon] = newUsers(2) as [number, number]
    const { body } = await request(mina, joon)
    harness.clock += 30 * 24 * 3_600_000
    expect(await idsOf(joon, '/friends/requests', 'request_id')).toEqual([])
    expect(await idsOf(mina, '/friends/requests?direction=outgoing', 'request_id')).toEqual([])
    const accept = await harness.call(joon, 'POST', `/friends/requests/${body.request_id}/accept`)
    expect(accept.body.code).toBe('FRIEND_REQUEST_NOT_FOUND')
    while ((await harness.service.friendships.expireDue(harness.service.log)) > 0);
    const events = await harness.eventsOf(mina, joon)
    expect(events.at(-1)).toMatchObject({ event_type: 'FriendRequestCancelled', reason: 'expired' })
    expect((await request(mina, joon)).status).toBe(201)
  })

  it('a request to a user known only to user-service works; an unknown user gets 404, and 503 while unverifiable', async () => {
    const [mina, known, unknown] = newUsers(3) as [number, number, number]
    expect((await request(mina, known)).status).toBe(201)
    harness.userService.hidden.add(unknown)
    expect(await request(mina, unknown)).toMatchObject({ status: 404, body: { code: 'USER_NOT_FOUND' } })
    harness.userService.down = true
    try {
      expect(await request(mina, unknown)).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } })
      expect((await request(newUsers(1)[0]!, known)).status).toBe(201)
    } finally {
      harness.userService.down = false
    }
  })

  it('requests to oneself are rejected', async () => {
    const [mina] = newUsers(1) as [number]
    expect(await request(mina, mina)).toMatchObject({ status: 400, body: { code: 'FRIEND_SELF' } })
  })
})

describe('periodic jobs', () => {
  it('the periodic job expires any number of due requests in one run', async () => {
    const users = newUsers(231)
    const [mina, ...others] = users as [number, ...number[]]
    const values = others.map(
      (other, index) =>
        `(${mina}, ${other}, 1, 'pending', ${5_000_000 + index}, ${other}, ${mina}, 'open',
          '2026-01-01', '2026-01-31')`,
    )
    await harness.mysql.query(
      `INSERT INTO friendships (user_low, user_high, version, status, request_id, request_from, request_to,
         request_state, request_sent_at, request_expires_at) VALUES ${values.join(', ')}`,
    )
    await harness.service.friendships.expireDue(harness.service.log)
    const left = 'SELECT 1 FROM friendships WHERE request_to = ? AND status <> ?'
    expect(await harness.mysql.query(left, [mina, 'none'])).toEqual([])
    const events = await harness.eventsOf(mina, others.at(-1)!)
    expect(events).toMatchObject([{ event_type: 'FriendRequestCancelled', reason: 'expired' }])
  })

  it('the periodic job purges all request ids except the newest', async () => {
    await harness.mysql.query(`INSERT INTO request_ids VALUES ${Array(2_500).fill('()').join(', ')}`)
    const mysql = createMysql(harness.mysql.url, createMetrics('test'))
    await new FriendshipRepository(mysql).purgeRequestIds()
    await mysql.close()
    expect(await harness.mysql.query('SELECT id FROM request_ids')).toHaveLength(1)
  })
})

describe('someone else’s requests', () => {
  it('requests of other users get the same response as unknown requests', async () => {
    const [mina, joon, eve] = newUsers(3) as [number, number, number]
    const { body } = await request(mina, joon)
    const url = `/friends/requests/${body.request_id}`
    for (const [who, method, path] of [
      [eve, 'POST', `${url}/accept`],
      [eve, 'POST', `${url}/reject`],
      [eve, 'DELETE', url],
      [mina, 'POST', `${url}/accept`],
      [mina, 'POST', `${url}/reject`],
      [joon, 'DELETE', url],
      [joon, 'POST', '/friends/requests/999999999/accept'],
    ] as const) {
      const answer = await harness.call(who, method, path)
      expect(answer, `${who} ${method} ${path}`).toMatchObject({
        status: 404,
        body: { code: 'FRIEND_REQUEST_NOT_FOUND' },
      })
    }
    expect((await harness.eventsOf(mina, joon)).map((event) => event.event_type)).toEqual([
      'FriendRequestSent',
    ])
  })

  it.each([
    ['POST', '/friends/request', { target_user_id: 'x' }],
    ['POST', '/friends/request', { target_user_id: 1, admin: true }],
    ['POST', '/friends/request', {}],
    ['POST', '/friends/requests/x/accept', undefined],
    ['DELETE', '/friends/0', undefined],
    ['GET', '/friends?limit=101', undefined],
    ['GET', '/friends?cursor=nonsense', undefined],
    ['GET', '/friends/requests?direction=sideways', undefined],
  ] as const)('%s %s %j is rejected as invalid', async (method, url, body) => {
    expect((await harness.call(newUsers(1)[0]!, method, url, body)).status).toBe(422)
  })
})

describeConformance({ title: 'Friend Service', service: () => harness.service })

describeMigrations({
  migrationsDir,
  schemaPath: fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url)),
})
