import { connect } from 'node:net'

const TRY_MS = 1500

/** True when something accepts a connection; with `send`, when its answer also begins with `expect`. */
export function answers(port: number, send?: string, expect?: string): Promise<boolean> {
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

/** True when the URL answers with 2xx. */
export async function isOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TRY_MS) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** What a readiness page says about why it is not ready, for the message when it never becomes so. */
export async function reasonNotReady(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TRY_MS) })
    return `${url} says ${response.status} ${(await response.text()).slice(0, 400)}`
  } catch (error) {
    return `${url} does not answer (${error instanceof Error ? error.message : String(error)})`
  }
}
