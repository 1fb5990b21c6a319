import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { waitFor } from '@bigtech/testkit'
import { expect, it } from 'vitest'
import { StreamOutput } from './stream-output.ts'
import { WriteBatcher } from './write-batcher.ts'

/** Opens an output over a real connection, and its reading client. */
async function connected() {
  let slow = false
  const outputs: StreamOutput[] = []
  const responses: ServerResponse[] = []
  const server = createServer((_request, response) => {
    response.writeHead(200)
    responses.push(response)
    outputs.push(
      new StreamOutput(response, new WriteBatcher(), () => {
        slow = true
      }),
    )
    outputs[0]!.push(Buffer.from('first'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = await new Promise<IncomingMessage>((resolve) => {
    get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, resolve)
  })
  return {
    output: outputs[0]!,
    client,
    isSlow: () => slow,
    unsentBytes: () => responses[0]!.writableLength,
    close: () => {
      client.destroy()
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
  })
  expect(isSlow()).toBe(false)
  client.resume()
  await waitFor(() => output.stalledMs(Date.now()) === 0)
  close()
})

it('the stream output reports a slow reader when more than 1 MiB is unsent, before 2 MiB are', async () => {
  const { output, client, isSlow, unsentBytes, close } = await connected()
  client.pause()
  await waitFor(() => {
    output.push(Buffer.alloc(64 * 1024))
    output.flush()
    return isSlow()
  })
  expect(unsentBytes()).toBeGreaterThan(1024 * 1024)
  expect(unsentBytes()).toBeLessThan(2 * 1024 * 1024)
  close()
})
