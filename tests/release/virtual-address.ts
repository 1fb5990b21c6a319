import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands for kube-proxy: a port whose connections go to one of the endpoints, chosen at random when they are opened. */
export interface VirtualAddress {
  /** Ports of the copies that get new connections. Open connections stay where they are. */
  endpoints: readonly number[]
  close(): Promise<void>
}

/** Listens on a port of this machine. */
export async function openVirtualAddress(port: number): Promise<VirtualAddress> {
  const address = { endpoints: [] as readonly number[] }
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const { endpoints } = address
    const endpoint = endpoints[Math.floor(Math.random() * endpoints.length)]
    if (endpoint === undefined) return void client.resetAndDestroy()
    const upstream = connect({ host: '127.0.0.1', port: endpoint, allowHalfOpen: true, noDelay: true })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.pipe(to)
      from.on('error', () => to.resetAndDestroy())
      from.on('close', () => open.delete(from))
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(address, {
    close: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  })
}
