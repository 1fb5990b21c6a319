import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { waitFor } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import { StreamOutput } from './stream-output.ts'
import { WriteBatcher } from './write-batcher.ts'

/** Fills the buffers of the kernel, several megabytes, in a moment. */
const FAST = { intervalMs: 1 }

/** Opens an output over a real connection, and its reading client. */
async function connected() {
  let slow = false
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [connection] = (await once(server, 'connection')) as [Socket]
  connection.on('error', () => undefined)
  const output = new StreamOutput(new WriteBatcher())
  const owner = {
    hasUnsent: () => undefined,
    isTooSlow: () => {
      slow = true
    },
  }
  output.attach(connection, Buffer.from('head'), owner)
  output.push(Buffer.from('first'))
  client.resume()
  return {
    output,
    client,
    connection,
    isSlow: () => slow,
    close: () => {
      client.destroy()
      connection.destroy()
      server.close()
    },
  }
}

it('the stream output reports since when a client has accepted no data, and when it accepts data again', async () => {
  const { output, client, isSlow, close } = await connected()
  const block = Buffer.alloc(64 * 1024)
  client.pause()
  await waitFor(() => {
    if (output.stalledMs(Date.now()) === 0) output.push(block)
    return output.stalledMs(Date.now()) >= 200
  }, FAST)
  expect(isSlow()).toBe(false)
  client.resume()
  await waitFor(() => output.stalledMs(Date.now()) === 0)
  close()
})

it('the stream output reports a slow reader when more than 1 MiB is unsent, before 2 MiB are', async () => {
  const { output, client, connection, isSlow, close } = await connected()
  client.pause()
  await waitFor(() => {
    output.push(Buffer.alloc(64 * 1024))
    output.flush()
    return isSlow()
  }, FAST)
  expect(connection.writableLength).toBeGreaterThan(1024 * 1024)
  expect(connection.writableLength).toBeLessThan(2 * 1024 * 1024)
  close()
})
