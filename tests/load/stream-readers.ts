import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

/** Readers of streams in a thread of their own: in the thread of the sends they would delay the measured responses. */
export interface StreamReaders {
  readonly hostname: string
  readonly port: number
  readonly tokens: readonly string[]
  /** The first so many never read from their socket. */
  readonly stalled: number
}

const { hostname, port, tokens, stalled } = workerData as StreamReaders
const sockets: Socket[] = []

function open(): void {
  for (const [index, token] of tokens.entries()) {
    const socket = connect(port, hostname)
    socket.on('error', () => undefined)
    socket.write(`GET /stream HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\n\r\n`)
    if (index >= stalled) socket.resume()
    sockets.push(socket)
  }
}

open()
// Any message: all streams reconnect at once.
parentPort?.on('message', () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  open()
})
