import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isPortFree, portHolder, portsOf, portVariable, requireFreePorts } from './ports.ts'

const servers: Array<ReturnType<typeof createServer>> = []

async function listen(): Promise<number> {
  const server = createServer()
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

describe('ports of an instance', () => {
  it('ports of an instance are unique', () => {
    for (const instance of ['dev', 'test', 'other']) {
      const ports = Object.values(portsOf(instance, {}))
      expect(new Set(ports).size).toBe(ports.length)
    }
  })

  it('ports of tests are 5000 above those of development, so that both can run at once, and no outgoing connection takes one', () => {
    const dev = portsOf('dev', {})
    const test = portsOf('test', {})
    for (const [name, port] of Object.entries(dev)) expect(test[name as keyof typeof test]).toBe(port + 5_000)
    const all = [...Object.values(dev), ...Object.values(test)]
    expect(new Set(all).size).toBe(all.length)
    expect(Math.max(...all)).toBeLessThan(32_768)
  })

  it('ports can be set individually in the environment, and a development setting does not affect the tests', () => {
    const env = { DEVSTACK_MYSQL_PORT: '4000', DEVSTACK_TEST_KAFKA_CONTROLLER_PORT: '4001' }
    expect(portsOf('dev', env).mysql).toBe(4000)
    expect(portsOf('test', env).mysql).toBe(18_306)
    expect(portsOf('test', env).kafkaController).toBe(4001)
  })

  it('an invalid port is rejected with the name of its variable', () => {
    expect(() => portsOf('dev', { DEVSTACK_MYSQL_PORT: 'mysql' })).toThrow('DEVSTACK_MYSQL_PORT=mysql')
    expect(() => portsOf('dev', { DEVSTACK_PORT_OFFSET: '40000' })).toThrow(
      'DEVSTACK_PORT_OFFSET=40000 is not a valid port offset: set it to 0..38418.',
    )
    expect(() => portsOf('test', { DEVSTACK_TEST_PORT_OFFSET: '-1' })).toThrow('DEVSTACK_TEST_PORT_OFFSET=-1')
  })

  it('each port of each instance has its own variable', () => {
    expect(portVariable('kafkaController', 'dev')).toBe('DEVSTACK_KAFKA_CONTROLLER_PORT')
    expect(portVariable('mysql', 'my-copy')).toBe('DEVSTACK_MY_COPY_MYSQL_PORT')
  })
})

describe('a taken port', () => {
  it('a taken port is detected before anything starts, with the variable that moves it', async () => {
    const port = await listen()
    expect(await isPortFree(port)).toBe(false)
    const ports = portsOf('dev', { DEVSTACK_REDIS_PORT: String(port) })
    await expect(requireFreePorts(ports, ['redis'], 'dev')).rejects.toThrow(/taken by .*DEVSTACK_REDIS_PORT/)
  })

  it.runIf(process.platform === 'linux')(
    'a taken port is reported with the process that holds it',
    async () => {
      expect(portHolder(await listen())).toContain(`process ${process.pid}`)
    },
  )

  it('a port is free after it was released', async () => {
    const port = await listen()
    const server = servers.pop()
    server?.close()
    if (server) await once(server, 'close')
    expect(await isPortFree(port)).toBe(true)
  })
})
