import { connect, createServer, type Server, type Socket } from 'node:net'

export interface FaultProxy {
  readonly host: string
  readonly port: number
  /** Breaks every connection and refuses new ones, like a stopped server. */
  cut(): Promise<void>
  /** Keeps and accepts connections but forwards nothing, like a hung server or a network that drops packets. */
  freeze(): void
  /** Restores the proxy; data sent while frozen arrives late. */
  restore(): Promise<void>
  close(): Promise<void>
}

/** Creates a TCP proxy in front of a real server that fails on command. */
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
