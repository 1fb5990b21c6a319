import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startServiceProcess } from '@bigtech/testkit'
import { expect, it } from 'vitest'

const STORM = 1_000
const folder = fileURLToPath(new URL('..', import.meta.url))

const connected = (host: string, port: number) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket))
    socket.setTimeout(10_000, () => socket.destroy(new Error('no connection')))
    socket.once('error', reject)
  })

it.skipIf(process.platform !== 'linux')(
  'the kernel accepts 1,000 connections for a process that is too busy to accept any',
  async () => {
    const service = await startServiceProcess({ folder, entry: 'testing/slow-process.ts', env: {} })
    service.signal('SIGSTOP')
    try {
      const { hostname, port } = new URL(service.url)
      const storm = Array.from({ length: STORM }, () => connected(hostname, Number(port)))
      const outcomes = await Promise.allSettled(storm)
      for (const outcome of outcomes) if (outcome.status === 'fulfilled') outcome.value.destroy()
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(STORM)
    } finally {
      service.signal('SIGCONT')
      await service.stop()
    }
  },
  60_000,
)
