import { friendRequestAccepted, friendRequestSent, userRegistered } from '@bigtech/contracts'
import { collectEvents, waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Harness, newUsers, startHarness } from '../../testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ listen: true })
})
afterAll(() => harness.stop())

const request = (from: number, to: number) =>
  harness.call(from, 'POST', '/friends/request', { target_user_id: to })

describe('friendship', () => {
  it('sendFriendRequest, acceptFriendRequest, listFriends: both are friends, and both events are on Kafka', async () => {
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

  it('keeps names from user.events, and answers with them, marked stale, while user-service is down', async () => {
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
