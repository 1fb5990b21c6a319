import { waitFor } from '@bigtech/testkit'
import { http, stack } from './stack.ts'

export type ServiceName =
  | 'user-service'
  | 'friend-service'
  | 'chat-service'
  | 'notification-service'
  | 'analytics-service'
  | 'media-service'
  | 'media-worker'
  | 'analysis-service'

export type ProcessName =
  | ServiceName
  /** A further copy. */
  | `${ServiceName}#${number}`
  | 'gateway'
  | 'mysql'
  | 'redis'
  | 'kafka'
  | 'mongodb'

export type ProcessAction = 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'resume'

export interface ProcessState {
  readonly name: string
  readonly state: string
  readonly pid: number | null
  readonly url: string | null
  readonly restarts: number
}

/**
 * Controls one process of the running stack and waits for the effect. `comesBack`: a killed process
 * restarts by itself, as under an orchestrator.
 */
export async function control(
  name: ProcessName,
  action: ProcessAction,
  options: { comesBack?: boolean } = {},
): Promise<ProcessState> {
  const { status, body, text } = await http(
    'POST',
    `${stack.control}/processes/${encodeURIComponent(name)}/${action}${options.comesBack ? '?restart=true' : ''}`,
  )
  if (status !== 200) throw new Error(`${action} ${name}: ${status} ${text}`)
  return body
}

export async function processes(): Promise<ProcessState[]> {
  return (await http('GET', `${stack.control}/processes`)).body.items
}

/** Stops a process while `during` runs, and always restarts it afterwards. */
export async function without(name: ProcessName, during: () => Promise<void>): Promise<void> {
  await control(name, 'stop')
  try {
    await during()
  } finally {
    await control(name, 'start')
  }
}

const services = ['user', 'friend', 'chat', 'notification', 'analytics'] as const

/** Returns the milliseconds until every service is ready. */
export async function healed(timeoutMs = 30_000): Promise<number> {
  const began = performance.now()
  for (const service of services) {
    await waitFor(async () => (await http('GET', `${stack[service]}/ready`)).status === 200, {
      timeoutMs: timeoutMs - (performance.now() - began),
      what: `${service}-service to be ready`,
    })
  }
  return performance.now() - began
}

/** Returns the address of the second process of chat-service; starts one when the environment names none. */
export async function secondChat(): Promise<string> {
  const given = process.env.BIGTECH_SECOND_CHAT_URL
  if (given) return given
  const { url } = await control('chat-service#2', 'start')
  if (!url) throw new Error('chat-service#2 has no address')
  return url
}

/** Stops the process started by `secondChat`. */
export async function stopSecondChat(): Promise<void> {
  if (!process.env.BIGTECH_SECOND_CHAT_URL) await control('chat-service#2', 'stop')
}
