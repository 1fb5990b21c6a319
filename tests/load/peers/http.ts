import { Agent, request } from 'undici'

const MAX_CONNECTIONS = 128

export interface HttpCaller {
  /** @throws Error when the response is not successful */
  call(
    method: 'GET' | 'POST',
    path: string,
    options?: { headers?: Record<string, string>; body?: object | string },
  ): Promise<void>
  close(): Promise<void>
}

/** Returns a client with keep-alive connections, one for each call in flight. */
export function httpCaller(url: string): HttpCaller {
  const agent = new Agent({ connections: MAX_CONNECTIONS })
  return {
    call: async (method, path, { headers = {}, body } = {}) => {
      const response = await request(`${url}${path}`, {
        method,
        dispatcher: agent,
        headers: typeof body === 'object' ? { ...headers, 'content-type': 'application/json' } : headers,
        ...(body === undefined ? {} : { body: typeof body === 'object' ? JSON.stringify(body) : body }),
      })
      const text = await response.body.text()
      if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
    },
    close: () => agent.close(),
  }
}
