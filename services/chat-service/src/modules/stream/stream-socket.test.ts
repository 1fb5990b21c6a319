import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { waitFor } from '@bigtech/testkit'
import fastify from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { streamHead, takeSocket } from './stream-socket.ts'

/** Newest first: the server waits for the end of taken connections. */
const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

/** Serves streams at `/stream`, once told to, and constants elsewhere. */
async function startServer() {
  const taken: (Socket | undefined)[] = []
  const handled: string[] = []
  const held: WeakRef<object>[] = []
  const admission = Promise.withResolvers<void>()
  const app = fastify({ forceCloseConnections: true })
  app.addHook('onResponse', async (request) => void handled.push(request.url))
  app.get('/stream', async (request, reply) => {
    held.push(new WeakRef(request.raw), new WeakRef(reply.raw), new WeakRef(request), new WeakRef(reply))
    await admission.promise
    const socket = takeSocket(request, reply)
    socket?.write(streamHead(request.id))
    taken.push(socket)
    return ''
  })
  app.get('/constant', async () => 'constant')
  await app.listen({ host: '127.0.0.1', port: 0 })
  open.push({ close: () => app.close() })
  const { port } = app.server.address() as AddressInfo
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`
  const client = async (text: string) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    open.push({ close: () => socket.destroy() })
    await once(socket, 'connect')
    socket.write(text)
    return { socket, received: () => received }
  }
  return { taken, handled, held, admit: admission.resolve, request, client }
}

it('a taken connection is a complete response to which bytes are appended, and its request counts as handled', async () => {
  const { taken, handled, admit, request, client } = await startServer()
  admit()
  const { received } = await client(request('/stream'))
  await waitFor(() => received().endsWith('retry: 1000\n\n'))
  expect(received()).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-type: text\/event-stream/)
  expect(received()).not.toContain('transfer-encoding')
  expect(handled).toEqual(['/stream'])
  taken[0]!.write('event: x\n\n')
  await waitFor(() => received().endsWith('event: x\n\n'))
})

it('a taken connection lets go of the request, the response and the parser', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { taken, held, admit, request, client } = await startServer()
  admit()
  const { received } = await client(request('/stream'))
  await waitFor(() => received().includes('retry'))
  expect((taken[0] as Socket & { parser?: unknown }).parser).toBe(null)
  await waitFor(() => {
    collect()
    return held.every((each) => each.deref() === undefined)
  })
  expect(taken[0]!.destroyed).toBe(false)
})

it('the end of a taken connection is noticed, even half of it, and after bytes that nobody asked for', async () => {
  const { taken, admit, request, client } = await startServer()
  admit()
  const { socket, received } = await client(request('/stream'))
  await waitFor(() => received().includes('retry'))
  const closed = once(taken[0]!, 'close')
  socket.write(request('/constant'))
  socket.end()
  await closed
  expect(received()).not.toContain('constant')
})

it('a connection with a request pipelined behind a stream is destroyed, and the stream carries no other response', async () => {
  const { taken, admit, request, client } = await startServer()
  const { socket, received } = await client(request('/stream') + request('/constant'))
  const closed = once(socket, 'close')
  const other = await client(request('/constant'))
  await waitFor(() => other.received().includes('200 OK'))
  admit()
  await waitFor(() => taken.length === 1)
  expect(taken).toEqual([undefined])
  await closed
  expect(received()).not.toContain('event-stream')
})
