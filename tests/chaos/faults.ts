import { control, type ProcessName, type ProcessState, processes } from '../e2e/control.ts'
import { http } from '../e2e/stack.ts'

export interface Fault {
  readonly name: ProcessName
  /** Unix milliseconds. */
  readonly at: number
  /** Time until it is ready again; a server, until it runs again. Infinity: not within two minutes. */
  readonly downMs: number
}

const GIVE_UP_MS = 120_000

/** The processes killed in rotation. */
const turns: readonly ProcessName[] = [
  'chat-service',
  'notification-service',
  'chat-service#2',
  'kafka',
  'chat-service',
  'analytics-service',
  'chat-service#2',
  'redis',
]

/** Sends SIGKILL to a process every `everyMs` until `over`; each restarts by itself, as under an orchestrator. */
export async function breakThings(everyMs: number, over: Promise<unknown>): Promise<Fault[]> {
  const faults: Promise<Fault>[] = []
  let isOver = false
  const end = over.finally(() => {
    isOver = true
  })
  for (let turn = 0; ; turn++) {
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, everyMs))])
    if (isOver) return Promise.all(faults)
    const name = turns[turn % turns.length] as ProcessName
    const { pid, state } = await processNamed(name)
    if (state !== 'ready') continue
    const at = Date.now()
    await control(name, 'kill', { comesBack: true })
    faults.push(untilBack(name, pid, at).then((downMs) => ({ name, at, downMs })))
  }
}

async function processNamed(name: ProcessName): Promise<ProcessState> {
  const found = (await processes()).find((each) => each.name === name)
  if (!found) throw new Error(`There is no process ${name}.`)
  return found
}

async function untilBack(name: ProcessName, pid: number | null, since: number): Promise<number> {
  for (;;) {
    const { state, pid: pidNow, url } = await processNamed(name)
    if (state === 'ready' && pidNow !== pid && (await isReady(url))) return Date.now() - since
    if (Date.now() - since > GIVE_UP_MS) return Number.POSITIVE_INFINITY
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function isReady(url: string | null): Promise<boolean> {
  if (!url?.startsWith('http')) return true
  return http('GET', `${url}/ready`).then(
    ({ status }) => status === 200,
    () => false,
  )
}
