import { connect } from 'node:net'
import { type FastifyInstance, fastify } from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { requestLimits } from './http-limits.ts'

let app: FastifyInstance | undefined
afterEach(() => app?.close())

/** Sends `head`, then one body byte every 100 ms; resolves to the response and its time in milliseconds. */
async function trickle(port: number, head: string): Promise<{ text: string; tookMs: number }> {
  const began = performance.now()
  const socket = connect({ port, host: '127.0.0.1' })
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.on('error', () => {})
  socket.write(head)
  const timer = setInterval(() => socket.write('a'), 100)
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(timer)
  return { text, tookMs: performance.now() - began }
}

it.each([
  ['body', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 100000\r\n\r\n'],
  ['header', 'GET / HTTP/1.1\r\nhost: x\r\nslow: '],
])('a request with a slow %s gets 408 within the time limit', async (_part, head) => {
  app = fastify({ ...requestLimits(1_000) })
  app.post('/', async () => 'received')
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const { text, tookMs } = await trickle(port, head)
  expect(text).toMatch(/^HTTP\/1\.1 408 /)
  expect(tookMs).toBeLessThan(2_500)
})
