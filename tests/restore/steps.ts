import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { waitFor } from '@bigtech/testkit'
import { control, type ProcessName } from '../e2e/control.ts'
import { http, type Person, stack } from './people.ts'

const root = join(import.meta.dirname, '..', '..')
const CAUGHT_UP_MS = 120_000

/** Runs the operators' command; returns its output. */
export function bigtech(...args: string[]): { code: number | null; answer: ReturnType<typeof JSON.parse> } {
  const main = join(root, 'packages/cli/src/main.ts')
  const done = spawnSync(
    process.execPath,
    ['--disable-warning=TimeoutNegativeWarning', main, '--json', ...args],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  )
  return { code: done.status, answer: done.stdout === '' ? undefined : JSON.parse(done.stdout) }
}

/** Runs a program until it ends. @throws when it fails */
export async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`)
}

/** Returns the path of a file of the checkout. */
export const inCheckout = (path: string) => join(root, path)

export async function stop(services: readonly ProcessName[]): Promise<void> {
  for (const name of services.toReversed()) await control(name, 'stop')
}

export async function start(services: readonly ProcessName[]): Promise<void> {
  for (const name of services) await control(name, 'start')
}

/** Waits until every event is published and consumed. */
export const caughtUp = () =>
  waitFor(
    () => {
      const waiting = sum(bigtech('outbox', 'backlog').answer, 'waiting')
      return waiting === 0 && sum(bigtech('consumers', 'lag').answer, 'records') === 0
    },
    { timeoutMs: CAUGHT_UP_MS, what: 'every event to be consumed' },
  )

function sum<Name extends string>(rows: readonly Record<Name, number>[], name: Name): number {
  return rows.reduce((total, row) => total + row[name], 0)
}

const problems: string[] = []

/** Prints whether a statement holds, and counts those that do not. */
export function expect(holds: boolean, what: string): void {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`)
  if (!holds) problems.push(what)
}

/** Runs `bigtech verify` and expects no differences. */
export function expectVerified(when: string): void {
  const { code, answer } = bigtech('verify')
  expect(code === 0, `verify finds nothing wrong ${when}: ${JSON.stringify(answer?.findings)}`)
}

/** Returns how many statements did not hold. */
export const problemCount = () => problems.length

export const send = (from: Person, room: number, content: string) =>
  http('POST', `${stack.gateway}/api/messages/${room}`, { token: from.token, json: { content } })

export async function groupRoom(owner: Person, members: readonly Person[]): Promise<number> {
  const json = { name: 'restore', member_ids: members.map(({ id }) => id) }
  const { status, body, text } = await http('POST', `${stack.gateway}/api/rooms`, {
    token: owner.token,
    json,
  })
  if (status !== 201) throw new Error(`room: ${status} ${text}`)
  return body.room_id
}
