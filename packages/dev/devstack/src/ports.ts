import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { UserError } from './problems.ts'

const defaults = {
  gateway: 8000,
  gatewayAdmin: 8001,
  user: 8005,
  friend: 8003,
  chat: 8002,
  notification: 8006,
  analytics: 8007,
  media: 8004,
  mediaWorker: 8009,
  analysis: 8010,
  mysql: 13306,
  redis: 16379,
  mongo: 27117,
  kafka: 19092,
  kafkaController: 19093,
  s3: 17070,
  smtp: 11025,
  mailbox: 11080,
  openId: 11082,
  stack: 11081,
  prometheus: 19090,
  alertmanager: 19094,
} as const

export type PortName = keyof typeof defaults
export type Ports = Record<PortName, number>

/** Leaves every port below 32768: Linux gives those above to outgoing connections, so one could be taken at any time. */
const TEST_OFFSET = 5_000

/** Returns DEVSTACK_KAFKA_CONTROLLER_PORT for kafkaController; the test instance has separate variables. */
export function portVariable(name: PortName, instance: string): string {
  const upper = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
  return instance === 'dev' ? `DEVSTACK_${upper}_PORT` : `DEVSTACK_${variablePart(instance)}_${upper}_PORT`
}

function variablePart(instance: string): string {
  return instance.toUpperCase().replaceAll('-', '_')
}

function offsetOf(instance: string, env: NodeJS.ProcessEnv): number {
  const variable = instance === 'dev' ? SHARED_OFFSET : `DEVSTACK_${variablePart(instance)}_PORT_OFFSET`
  const own = env[variable]
  if (own !== undefined) return offsetNumber(own, variable)
  if (instance === 'dev') return 0
  if (instance === 'test') return TEST_OFFSET
  return offsetNumber(env[SHARED_OFFSET] ?? '10000', SHARED_OFFSET)
}

const SHARED_OFFSET = 'DEVSTACK_PORT_OFFSET'
const LAST_PORT = 65_535

/** The largest offset for which every port is valid. */
const LARGEST_OFFSET = LAST_PORT - Math.max(...Object.values(defaults))

function offsetNumber(text: string, variable: string): number {
  return numberWithin(text, variable, 0, LARGEST_OFFSET, 'a valid port offset')
}

function portNumber(text: string, variable: string): number {
  return numberWithin(text, variable, 1, LAST_PORT, 'a port number')
}

function numberWithin(text: string, variable: string, least: number, most: number, what: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < least || number > most) {
    throw new UserError(`${variable}=${text} is not ${what}: set it to ${least}..${most}.`)
  }
  return number
}

/**
 * Returns the ports of an instance: the conventional ones, shifted by an offset or set individually in the
 * environment.
 */
export function portsOf(instance: string, env: NodeJS.ProcessEnv = process.env): Ports {
  const offset = offsetOf(instance, env)
  const entries = Object.entries(defaults).map(([name, base]) => {
    const variable = portVariable(name as PortName, instance)
    const own = env[variable]
    return [name, own ? portNumber(own, variable) : base + offset]
  })
  return Object.fromEntries(entries) as Ports
}

/** Returns true when nothing listens on the port of the loopback interface. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Returns "redis-server (process 812)" if the kernel reveals it, else undefined. */
export function portHolder(port: number): string | undefined {
  const inode = listeningInode(port)
  if (!inode) return undefined
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== `socket:[${inode}]`) continue
        return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`
      }
    } catch {
      // Another user's process, or one that has exited.
    }
  }
  return undefined
}

function listeningInode(port: number): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text = ''
    try {
      text = readFileSync(table, 'utf8')
    } catch {
      continue
    }
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/)
      if (columns[3] === '0A' && columns[1]?.endsWith(`:${hex}`)) return columns[9]
    }
  }
  return undefined
}

/** Throws when a required port is taken by another process. */
export async function requireFreePorts(
  ports: Ports,
  names: readonly PortName[],
  instance: string,
): Promise<void> {
  for (const name of names) {
    if (await isPortFree(ports[name])) continue
    const holder = portHolder(ports[name]) ?? 'another process'
    throw new UserError(
      `Port ${ports[name]} (${name}) is taken by ${holder}: stop that, or set ${portVariable(name, instance)} to a free port.`,
    )
  }
}
