import { createECDH, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { startHttpServer } from '@bigtech/testkit'

interface ReceivedPush {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly bytes: number
}

export interface FakePushService {
  readonly pushes: ReceivedPush[]
  /** Response statuses by path; default 201, no response for `silent`. */
  readonly answers: Map<string, number | 'silent'>
  /** Returns a browser's subscription at this service. */
  subscription(path: string): { endpoint: string; keys: { p256dh: string; auth: string } }
  /** Closes the connections of unanswered requests. */
  hangUp(): void
  close(): Promise<void>
}

/** Starts a local push service. */
export async function startFakePushService(): Promise<FakePushService> {
  const pushes: ReceivedPush[] = []
  const answers = new Map<string, number | 'silent'>()
  const server = await startHttpServer((request, response) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('end', () => {
      const path = request.url ?? '/'
      pushes.push({ path, headers: request.headers, bytes })
      const answer = answers.get(path) ?? 201
      if (answer !== 'silent') response.writeHead(answer).end()
    })
  })
  return {
    pushes,
    answers,
    subscription: (path) => {
      const browser = createECDH('prime256v1')
      return {
        endpoint: `${server.url}${path}`,
        keys: {
          p256dh: browser.generateKeys('base64url') && browser.getPublicKey('base64url'),
          auth: randomBytes(16).toString('base64url'),
        },
      }
    },
    hangUp: () => server.hangUp(),
    close: () => server.close(),
  }
}
