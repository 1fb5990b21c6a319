import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface TestHttpServer {
  /** Origin, without a trailing slash. */
  readonly url: string
  /** Closes open connections, also those of unanswered requests. */
  hangUp(): void
  close(): Promise<void>
}

/** Starts an HTTP server on a free port of loopback, in place of a service outside of the test. */
export async function startHttpServer(handler: RequestListener): Promise<TestHttpServer> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hangUp: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
