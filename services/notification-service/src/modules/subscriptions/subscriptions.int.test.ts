import { userSessionRevoked } from '@bigtech/contracts'
import { waitFor } from '@bigtech/testkit'
import { describe, expect, it } from 'vitest'
import { newIds } from '../../../testing/harness.ts'
import { everythingOn, scenesOf } from '../../../testing/scenes.ts'
import { useHarness } from '../../../testing/use-harness.ts'

const harness = useHarness()
const { knownRoom, say, subscribe } = scenesOf(harness)

describe('subscriptions', () => {
  it('subscriptions end with the session that created them', async () => {
    const [mina] = newIds(1) as [number]
    const sessionId = crypto.randomUUID()
    await subscribe(mina, `/session-${mina}`, sessionId)
    await subscribe(mina, `/other-${mina}`)
    await harness().publish(userSessionRevoked, { user_id: mina, session_ids: [sessionId], reason: 'logout' })
    await waitFor(async () => {
      const { body } = await harness().call(mina, 'GET', '/notifications/subscriptions')
      return body.items!.length === 1
    })
  })

  it('subscriptions end with their session although the database was unavailable at that time', async () => {
    const [mina] = newIds(1) as [number]
    const sessionId = crypto.randomUUID()
    await subscribe(mina, `/session-${mina}`, sessionId)
    await harness().mysql.query('RENAME TABLE push_subscriptions TO push_subscriptions_gone')
    await harness().publish(userSessionRevoked, { user_id: mina, session_ids: [sessionId], reason: 'logout' })
    await waitFor(async () => {
      const metrics = (await harness().service.app.inject('/metrics')).body
      return /kafka_consumer_events_total\{.*event_type="UserSessionRevoked",result="retried"/.test(metrics)
    })
    await harness().mysql.query('RENAME TABLE push_subscriptions_gone TO push_subscriptions')
    await waitFor(async () => {
      const { body } = await harness().call(mina, 'GET', '/notifications/subscriptions')
      return body.items!.length === 0
    })
  }, 30_000)

  it('subscriptions are limited to 20 per user by replacing the oldest; a browser belongs to its last signed-in user', async () => {
    const [mina, joon] = newIds(2) as [number, number]
    const first = await subscribe(mina, `/s-${mina}`)
    for (let count = 0; count < 20; count++) await subscribe(mina, `/s-${mina}-${count}`)
    const { body } = await harness().call(mina, 'GET', '/notifications/subscriptions')
    expect(body.items).toHaveLength(20)
    expect(body.items!.map((item) => item.subscription_id)).not.toContain(first)
    const browser = harness().push.subscription(`/shared-${mina}`)
    await harness().call(mina, 'PUT', '/notifications/subscriptions', browser)
    await harness().call(joon, 'PUT', '/notifications/subscriptions', browser)
    const rows = await harness().mysql.query('SELECT user_id FROM push_subscriptions WHERE endpoint = ?', [
      browser.endpoint,
    ])
    expect(rows).toEqual([{ user_id: joon }])
  })

  it('subscriptions of other users are invisible and cannot be ended', async () => {
    const [mina, eve] = newIds(2) as [number, number]
    const id = await subscribe(mina, `/mine-${mina}`)
    expect((await harness().call(eve, 'DELETE', `/notifications/subscriptions/${id}`)).status).toBe(404)
    expect((await harness().call(eve, 'GET', '/notifications/subscriptions')).body.items).toEqual([])
    expect((await harness().call(mina, 'DELETE', `/notifications/subscriptions/${id}`)).status).toBe(204)
  })

  it.each([
    ['PUT', '/notifications/subscriptions', { endpoint: 'nonsense', keys: {} }],
    [
      'PUT',
      '/notifications/subscriptions',
      { endpoint: 'https://push.example.com/x', keys: { p256dh: 'a', auth: 'b' } },
    ],
    [
      'PUT',
      '/notifications/preferences',
      { ...everythingOn, quiet_hours: { start: '25:00', end: '07:00', time_zone: 'UTC' } },
    ],
    [
      'PUT',
      '/notifications/preferences',
      { ...everythingOn, quiet_hours: { start: '22:00', end: '07:00', time_zone: 'Moon/Base' } },
    ],
    ['PUT', '/notifications/preferences', { message_push: true }],
    ['DELETE', '/notifications/subscriptions/x', undefined],
    ['GET', '/notifications/deliveries?limit=0', undefined],
    ['GET', '/notifications/deliveries?cursor=nonsense', undefined],
  ] as const)('%s %s %j is rejected as invalid', async (method, url, body) => {
    expect((await harness().call(newIds(1)[0]!, method, url, body)).status).toBe(422)
  })
})

describe('preferences', () => {
  it('preferences have defaults until changed', async () => {
    const [mina] = newIds(1) as [number]
    expect((await harness().call(mina, 'GET', '/notifications/preferences')).body).toEqual(everythingOn)
    const chosen = { ...everythingOn, quiet_hours: { start: '22:00', end: '07:00', time_zone: 'Asia/Seoul' } }
    expect((await harness().call(mina, 'PUT', '/notifications/preferences', chosen)).body).toEqual(chosen)
    expect((await harness().call(mina, 'GET', '/notifications/preferences')).body).toEqual(chosen)
  })

  it('preferences can turn off message notifications', async () => {
    const [roomId, author, reader, other] = newIds(4) as [number, number, number, number]
    await knownRoom(roomId, [author, reader, other])
    await harness().call(reader, 'PUT', '/notifications/preferences', {
      ...everythingOn,
      message_push: false,
    })
    await say(roomId, author, 'hello')
    await harness().deliveriesOf(other, (items) => items.length === 1)
    await harness().deliveriesOf(reader, (items) => items.length === 0)
  })
})
