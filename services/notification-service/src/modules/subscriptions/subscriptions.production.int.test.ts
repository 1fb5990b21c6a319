import { waitFor } from '@bigtech/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import webPush from 'web-push'
import { type Harness, newIds, startHarness } from '../../../testing/harness.ts'
import { WebPushClient } from '../deliveries/web-push-client.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({ NODE_ENV: 'production' })
})
afterAll(() => harness.stop())

describe('in production', () => {
  it('a subscription must not point to the private network', async () => {
    const [mina] = newIds(1) as [number]
    const { keys } = harness.push.subscription('/x')
    for (const endpoint of [
      harness.push.subscription('/x').endpoint,
      'https://127.0.0.1/x',
      'https://localhost/x',
      'https://169.254.169.254/latest/meta-data',
    ]) {
      const answer = await harness.call(mina, 'PUT', '/notifications/subscriptions', { endpoint, keys })
      expect(answer, endpoint).toMatchObject({ status: 422, body: { errors: [{ field: 'endpoint' }] } })
    }
    const good = await harness.call(mina, 'PUT', '/notifications/subscriptions', {
      endpoint: 'https://fcm.googleapis.com/fcm/send/abc',
      keys,
    })
    expect(good).toMatchObject({ status: 200, body: { push_service: 'fcm.googleapis.com' } })
  })

  it('nothing is sent to a stored private address, or to a name that now resolves to one', async () => {
    const { publicKey, privateKey } = webPush.generateVAPIDKeys()
    const vapid = { subject: 'mailto:ops@example.com', publicKey, privateKey }
    const client = new WebPushClient({ vapid, allowAnyEndpoint: false })
    const { endpoint, keys } = harness.push.subscription('/inside')
    const message = { payload: '{}', topic: 'test', urgency: 'normal' } as const
    expect(await client.send({ endpoint, ...keys }, message)).toBe('gone')
    const named = endpoint.replace('http:', 'https:').replace('127.0.0.1', 'localhost.localdomain')
    expect(await client.send({ endpoint: named, ...keys }, message)).not.toBe('ok')
    await waitFor(() => harness.push.pushes.length === 0)
  })
})
