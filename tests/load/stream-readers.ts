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
/** The last event id of each reader, with which the SDK resumes. */
const lastIds: string[] = []
const ID = '\nid:'

function open(): void {
  for (const [index, token] of tokens.entries()) {
    const socket = connect(port, hostname)
    socket.on('error', () => undefined)
    const resume = lastIds[index] === undefined ? '' : `last-event-id: ${lastIds[index]}\r\n`
    socket.write(
      `GET /stream HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\n${resume}\r\n`,
    )
    if (index >= stalled)
      socket.on('data', (chunk: Buffer) => {
        const start = chunk.lastIndexOf(ID)
        const end = start < 0 ? -1 : chunk.indexOf('\n', start + ID.length)
        if (end > 0) lastIds[index] = chunk.toString('latin1', start + ID.length, end).trim()
      })
    sockets.push(socket)
  }
}

open()
// Any message: all streams reconnect at once, and resume.
parentPort?.on('message', () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  open()
})
