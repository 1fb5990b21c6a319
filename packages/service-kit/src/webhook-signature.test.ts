import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { signWebhook, verifyWebhook } from './webhook-signature.ts'

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`
const secret = newSecret()
const id = 'msg_1'
const body = '{"job_id":"1","이름":"한글"}'

describe('a webhook signature', () => {
  it('a webhook signature conforms to Standard Webhooks for signing and verifying', () => {
    const library = new Webhook(secret)
    expect(() => library.verify(body, { ...signWebhook(secret, id, body) })).not.toThrow()
    const at = new Date()
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': library.sign(id, at, body),
    }
    expect(verifyWebhook([secret], headers, body)).toBe(id)
  })

  it('a webhook signature is rejected for another body, id, time or secret', () => {
    const headers = signWebhook(secret, id, body)
    expect(verifyWebhook([secret], headers, `${body} `)).toBeUndefined()
    expect(verifyWebhook([secret], { ...headers, 'webhook-id': 'msg_2' }, body)).toBeUndefined()
    const later = String(Number(headers['webhook-timestamp']) + 1)
    expect(verifyWebhook([secret], { ...headers, 'webhook-timestamp': later }, body)).toBeUndefined()
    expect(verifyWebhook([newSecret()], headers, body)).toBeUndefined()
    expect(verifyWebhook([], headers, body)).toBeUndefined()
  })

  it('a webhook signature is rejected when the time deviates by more than five minutes', () => {
    for (const off of [-301_000, 301_000]) {
      const headers = signWebhook(secret, id, body, Date.now() + off)
      expect(verifyWebhook([secret], headers, body)).toBeUndefined()
    }
  })

  it('a webhook signature is accepted with either secret during a rotation', () => {
    const next = newSecret()
    expect(verifyWebhook([next, secret], signWebhook(secret, id, body), body)).toBe(id)
    const headers = signWebhook(next, id, body)
    const both = `${signWebhook(secret, id, body)['webhook-signature']} ${headers['webhook-signature']}`
    expect(verifyWebhook([next], { ...headers, 'webhook-signature': both }, body)).toBe(id)
  })

  it('verifying a webhook signature never throws for any header value', () => {
    const text = fc.option(fc.string({ unit: 'binary-ascii', maxLength: 60 }), { nil: undefined })
    fc.assert(
      fc.property(text, text, text, (webhookId, timestamp, signature) => {
        const headers = {
          'webhook-id': webhookId,
          'webhook-timestamp': timestamp,
          'webhook-signature': signature,
        }
        expect(verifyWebhook([secret], headers, body)).toBeUndefined()
      }),
    )
  })
})
