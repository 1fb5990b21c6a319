import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { readPositionals } from '@bigtech/service-kit'
import { control, healed, secondChat } from '../e2e/control.ts'
import { stack } from '../e2e/stack.ts'
import { watch } from '../e2e/watch.ts'
import { balancedFetch } from './balanced.ts'
import { gather } from './cast.ts'
import { breakThings, type Fault } from './faults.ts'
import { type Sending, sendFor } from './senders.ts'
import {
  judgeAnalytics,
  judgeEvents,
  judgePushes,
  judgeReaders,
  judgeSends,
  judgeSeqs,
  judgeUnread,
  readHistories,
  type Verdict,
} from './verdict.ts'

const usage = `Usage: npm run chaos -- [seconds=60] [rate=60] [every=6]
Kills processes while people write to each other, then counts what became of every message.
Needs a running npm start; takes about two minutes.`
const defaults = { seconds: 60, rate: 60, every: 6 }

function settings(): typeof defaults {
  const positionals = readPositionals(usage, Object.keys(defaults).length)
  const given = Object.fromEntries(positionals.map((each) => each.split('=')))
  const unknown = Object.keys(given).filter((name) => !(name in defaults))
  if (unknown.length > 0) throw new Error(`There is no ${unknown}: ${Object.keys(defaults).join(', ')}.`)
  const numbers = Object.entries(given).map(([name, value]) => [name, Number(value)])
  return { ...defaults, ...Object.fromEntries(numbers) }
}

/** Recounts what chat-service's figures are made of. */
async function verifyFigures(): Promise<boolean> {
  const file = join(import.meta.dirname, '../../packages/cli/src/main.ts')
  const args = [file, 'verify', '--service', 'chat-service']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0
}

function milliseconds(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0)
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`
}

function printFaults(faults: readonly Fault[], { acknowledged }: Sending): void {
  const rows = [...new Set(faults.map(({ name }) => name))].map((name) => {
    const own = faults.filter((fault) => fault.name === name)
    const after = own.map(({ at }) =>
      acknowledged.filter((each) => each.at >= at && each.at < at + 6_000).map(({ tookMs }) => tookMs),
    )
    return {
      'kill -9': name,
      times: own.length,
      'back after, at most (ms)': Math.max(...own.map(({ downMs }) => downMs)),
      'longest send in the 6 s after (ms)': Math.round(Math.max(0, ...after.flat())),
    }
  })
  console.table(rows)
}

async function main(): Promise<number> {
  const { seconds, rate, every } = settings()
  const fetch = balancedFetch([stack.chat, await secondChat()])
  const cast = await gather(6, 4)
  const watches = await Promise.all(cast.people.map((person) => watch(person, stack.chat, { fetch })))
  console.log(
    `${rate} messages a second for ${seconds} s in ${cast.rooms.length} rooms, ${watches.length} readers, a kill every ${every} s`,
  )
  try {
    const sends = sendFor({ cast, seconds, rate, fetch })
    const [sending, faults] = await Promise.all([sends, breakThings(every * 1_000, sends)])
    const healedMs = await healed(60_000)
    const histories = await readHistories(cast)
    const verdicts: Verdict[] = [
      judgeSends(sending.acknowledged, histories),
      judgeSeqs(histories),
      ...(await judgeEvents(histories)),
      await judgeReaders(watches, cast, histories),
      await judgeUnread(cast, histories),
      await judgeAnalytics(cast, histories),
      await judgePushes(cast, histories),
    ]
    printFaults(faults, sending)
    console.table(verdicts)
    const { acknowledged, unanswered, wrong } = sending
    console.log(
      `sends: ${milliseconds(acknowledged.map(({ tookMs }) => tookMs))}; ${unanswered.length} never acknowledged`,
    )
    console.log(
      `streams opened anew ${watches.reduce((all, { opened }) => all + opened - 1, 0)} times; ready after ${Math.round(healedMs)} ms`,
    )
    for (const each of wrong) console.log(`refused: ${each}`)
    // An event may be published twice: its consumers take it once.
    const isBroken = verdicts.some(
      ({ promise, lost, doubled, disordered }) =>
        lost + disordered > 0 || (doubled > 0 && !promise.includes('message.events')),
    )
    const isBack = faults.every(({ downMs }) => Number.isFinite(downMs))
    return (await verifyFigures()) && isBack && !isBroken && wrong.length === 0 ? 0 : 1
  } finally {
    for (const each of watches) each.close()
    await control('chat-service#2', 'stop')
  }
}

process.exitCode = await main()
process.exit()
