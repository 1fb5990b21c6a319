import { once } from 'node:events'
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net'
import type { FastifyInstance, FastifyListenOptions } from 'fastify'

/** Sockets that listen on the port of a service. */
const LISTENERS = 16
/** Other systems lack `SO_REUSEPORT`, or do not distribute connections. */
const SHARES_PORTS = process.platform === 'linux'

interface Address {
  readonly host: string
  readonly port: number
  readonly backlog: number
}

interface Listening {
  readonly address: string
  /** Stops accepting at once; resolves when the connections of the additional sockets have ended. */
  close(): Promise<void>
}

/**
 * Listens with several sockets: Node accepts one connection per listening socket and pass of its event loop. With one
 * socket a busy process, whose passes take 20 ms, accepts 50 connections a second, and a reconnect storm waits for minutes.
 *
 * @throws EADDRINUSE when another process listens on the port
 */
export async function listenOnPort(
  app: FastifyInstance,
  { host, port, backlog }: Address,
): Promise<Listening> {
  if (!SHARES_PORTS) return { address: await app.listen({ host, port, backlog }), close: async () => {} }
  if (port !== 0) await requireUnused({ host, port })
  const shared = { host, backlog, reusePort: true }
  // Fastify passes the options to Node; its types lack this one.
  const address: string = await app.listen({ ...shared, port } as FastifyListenOptions)
  const { port: chosen } = app.server.address() as AddressInfo
  const servers = Array.from({ length: LISTENERS - 1 }, () => forwardTo(app))
  await Promise.all(servers.map((server) => listening(server, { ...shared, port: chosen })))
  return { address, close: async () => void (await Promise.all(servers.map(closed))) }
}

/** Fails like a plain `listen` when the port is in use: sockets that share a port would silently take half of the connections. */
async function requireUnused(address: ListenOptions): Promise<void> {
  const probe = createServer()
  await listening(probe, address)
  await closed(probe)
}

/** Creates a server that passes its connections to the HTTP server. The options are those of `node:http`. */
function forwardTo(app: FastifyInstance): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    app.server.emit('connection', socket),
  )
}

async function listening(server: Server, options: ListenOptions): Promise<void> {
  server.listen(options)
  await once(server, 'listening')
}

async function closed(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
