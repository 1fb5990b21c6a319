import { createHmac, timingSafeEqual } from 'node:crypto'

/** The headers of a webhook as defined by Standard Webhooks. */
export type WebhookHeaders = Readonly<
  Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>
>

const TOLERANCE_SECONDS = 300
/** During a rotation a sender signs with the old and the new secret. */
const MAX_SIGNATURES = 5
const SECRET_PREFIX = 'whsec_'

/**
 * Signs a webhook (Standard Webhooks 1.0: HMAC-SHA256 over id, time and body).
 * @param secret `whsec_` and base64 (Standard Webhooks), or any other text
 */
export function signWebhook(secret: string, id: string, body: string, now = Date.now()): WebhookHeaders {
  const timestamp = String(Math.floor(now / 1_000))
  const signature = `v1,${macOf(secret, id, timestamp, body).toString('base64')}`
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
}

/**
 * Returns the id of an authentic webhook that is at most five minutes old; otherwise undefined. Pass the raw
 * bytes: parsing and serializing JSON changes them.
 * @param secrets several during a rotation
 */
export function verifyWebhook(
  secrets: readonly string[],
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string | Uint8Array,
  now = Date.now(),
): string | undefined {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string')
    return undefined
  if (!/^[\x21-\x7e]{1,100}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) return undefined
  if (Math.abs(now / 1_000 - Number(timestamp)) > TOLERANCE_SECONDS) return undefined
  const given = signature
    .split(' ', MAX_SIGNATURES)
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice('v1,'.length), 'base64'))
  const isGenuine = secrets.some((secret) => {
    const wanted = macOf(secret, id, timestamp, body)
    return given.some((mac) => mac.length === wanted.length && timingSafeEqual(mac, wanted))
  })
  return isGenuine ? id : undefined
}

function macOf(secret: string, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  const isEncoded = secret.startsWith(SECRET_PREFIX)
  const key = isEncoded ? Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64') : secret
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
}
