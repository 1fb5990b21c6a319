import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import fastify from 'fastify'
import { expect, it } from 'vitest'
import { listenOnPort } from './listen.ts'

const CONNECTIONS = 160
const host = '127.0.0.1'

/** Opens connections when told to, in a thread of its own, and counts them in shared memory. */
const clients = `
  const { connect } = require('node:net')
  const { workerData: { port, connections, begin, connected }, parentPort } = require('node:worker_threads')
  parentPort.postMessage('ready')
  Atomics.wait(begin, 0, 0)
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1', () => {
    Atomics.add(connected, 0, 1)
    Atomics.notify(connected, 0)
  }))
  parentPort.on('message', () => { for (const socket of sockets) socket.destroy(); process.exit() })`

const sharedInt = () => new Int32Array(new SharedArrayBuffer(4))

it.skipIf(process.platform !== 'linux')(
  'several waiting connections are accepted in each pass of the event loop',
  async () => {
    const app = fastify({ forceCloseConnections: true })
    app.get('/', async () => 'done')
    const { address, close } = await listenOnPort(app, { host, port: 0, backlog: 4_096 })
    const [begin, connected] = [sharedInt(), sharedInt()]
    const port = Number(new URL(address).port)
    const workerData = { port, connections: CONNECTIONS, begin, connected }
    const worker = new Worker(clients, { eval: true, workerData })
    await once(worker, 'message')
    try {
      let accepted = 0
      app.server.on('connection', () => {
        accepted++
      })
      Atomics.store(begin, 0, 1)
      Atomics.notify(begin, 0)
      // Blocks this thread until all connections wait in the kernel.
      for (let count = 0; count < CONNECTIONS; count = Atomics.load(connected, 0))
        Atomics.wait(connected, 0, count, 100)
      let passes = 0
      for (; accepted < CONNECTIONS; passes++) await new Promise((resolve) => setImmediate(resolve))
      expect(passes).toBeLessThan(CONNECTIONS / 3)
      const headers = { connection: 'close' }
      for (let n = 0; n < 20; n++) expect(await (await fetch(address, { headers })).text()).toBe('done')
    } finally {
      worker.postMessage('close')
      await Promise.all([app.close(), close()])
    }
    await expect(fetch(address)).rejects.toThrow('fetch failed')
  },
)

it('a port on which another service listens is refused', async () => {
  const [first, second] = [fastify(), fastify()]
  const { address, close } = await listenOnPort(first, { host, port: 0, backlog: 16 })
  const port = Number(new URL(address).port)
  await expect(listenOnPort(second, { host, port, backlog: 16 })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  await Promise.all([first.close(), close()])
})
