import { connect, createServer, type Server, type Socket } from 'node:net'

export interface FaultProxy {
  readonly host: string
  readonly port: number
  /** Breaks every connection and refuses new ones: the server has stopped. */
  cut(): Promise<void>
  /** Keeps connections, takes new ones, and passes nothing on: the server hangs, or the network swallows packets. */
  freeze(): void
  /** Works again; what was sent while frozen arrives late. */
  restore(): Promise<void>
  close(): Promise<void>
}

/** A TCP proxy in front of a real server that fails on command. */
export async function createFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let frozen = false

  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    if (frozen) socket.pause()
  }
  const server = createServer((client) => {
    const upstream = connect(target)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('data', (chunk) => other.write(chunk))
      socket.on('error', () => other.destroy())
      socket.on('close', () => other.destroy())
      track(socket)
    }
  })
  const port = await listen(server, 0)

  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    host: '127.0.0.1',
    port,
    cut: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      breakAll()
      await closed
    },
    freeze: () => {
      frozen = true
      for (const socket of sockets) socket.pause()
    },
    restore: async () => {
      frozen = false
      for (const socket of sockets) socket.resume()
      if (!server.listening) await listen(server, port)
    },
    close: async () => {
      breakAll()
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve((server.address() as { port: number }).port)
    })
  })
}
