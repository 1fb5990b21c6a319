import { connect } from 'node:net'

const TRY_MS = 1500

/** Returns true when a connection is accepted; with `send`, when the response also begins with `expect`. */
export function isListening(port: number, send?: string, expect?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const done = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(TRY_MS, () => done(false))
    socket.on('error', () => done(false))
    socket.on('connect', () => (send ? socket.write(send) : done(true)))
    socket.on('data', (chunk) => done(chunk.toString().startsWith(expect ?? '')))
  })
}

/** Returns true when the URL responds with 2xx. */
export async function isOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TRY_MS) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** Returns the reason given by a readiness page, for the error message. */
export async function reasonNotReady(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TRY_MS) })
    return `${url} says ${response.status} ${(await response.text()).slice(0, 400)}`
  } catch (error) {
    return `${url} does not respond (${error instanceof Error ? error.message : String(error)})`
  }
}
