import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import webPush from 'web-push'
import { endpointFault, publicLookup } from '../subscriptions/push-endpoint.ts'

export interface WebPushOptions {
  readonly vapid: { readonly subject: string; readonly publicKey: string; readonly privateKey: string }
  /** Only outside production: endpoints may be on this machine and without TLS. */
  readonly allowAnyEndpoint: boolean
}

export interface PushMessage {
  readonly payload: string
  /** A newer push with the same topic replaces one not shown yet (RFC 8030, 5.4). */
  readonly topic: string
  readonly urgency: 'normal' | 'high'
}

export type PushOutcome = 'ok' | 'gone' | 'refused' | 'retry'

const TIMEOUT_MS = 10_000
const TTL_SECONDS = 24 * 60 * 60

/** Encrypts and signs with the library; connects itself, only to public addresses, without following redirects. */
export class WebPushClient {
  readonly #options: WebPushOptions

  constructor(options: WebPushOptions) {
    this.#options = options
  }

  async send(
    subscription: { readonly endpoint: string; readonly p256dh: string; readonly auth: string },
    message: PushMessage,
  ): Promise<PushOutcome> {
    const { endpoint, p256dh, auth } = subscription
    const { allowAnyEndpoint, vapid } = this.#options
    if (!allowAnyEndpoint && endpointFault(endpoint)) return 'gone'
    let details: webPush.RequestDetails
    try {
      details = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, message.payload, {
        vapidDetails: vapid,
        TTL: TTL_SECONDS,
        topic: message.topic,
        urgency: message.urgency,
      })
    } catch {
      // Invalid keys: nothing can ever be sent there.
      return 'gone'
    }
    try {
      return outcomeOf(await this.#post(endpoint, details))
    } catch {
      return 'retry'
    }
  }

  #post(endpoint: string, details: webPush.RequestDetails): Promise<number> {
    const url = new URL(endpoint)
    const { allowAnyEndpoint } = this.#options
    const request = url.protocol === 'http:' ? httpRequest : httpsRequest
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          method: details.method,
          headers: details.headers as Record<string, string>,
          signal: AbortSignal.timeout(TIMEOUT_MS),
          ...(allowAnyEndpoint ? {} : { lookup: publicLookup }),
        },
        (response) => {
          resolve(response.statusCode ?? 0)
          // The response body is irrelevant and may be endless.
          response.destroy()
        },
      )
      outgoing.on('error', reject)
      outgoing.end(details.body ?? undefined)
    })
  }
}

function outcomeOf(status: number): PushOutcome {
  if (status >= 200 && status < 300) return 'ok'
  if (status === 404 || status === 410) return 'gone'
  if (status === 429 || status >= 500) return 'retry'
  return 'refused'
}
