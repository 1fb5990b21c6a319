import { readdirSync, readFileSync } from 'node:fs'
import { readPositionals } from '@bigtech/service-kit'
import { Agent, request } from 'undici'
import { startChatSubject } from './chat-subject.ts'
import { measure } from './measure.ts'

const usage = `Usage: node tests/load/processes.ts
CPU of every server per message, with 1, 2 and 4 processes of chat-service. Counts every process of this machine with the server's name, so
nothing else may run. A machine with few cores cannot show throughput; CPU per message shows what grows with the number of processes.

    BIGTECH_SERVERS_FILE=... node tests/load/processes.ts`

readPositionals(usage)
const PROCESSES = [1, 2, 4]
const IN_FLIGHT = 32
const WARM_UP_MS = 2_000
const PHASE_MS = 6_000
/** Includes the relay and the search index, which follow the sends. */
const SETTLE_MS = 3_000
const USERS = 20
const ROOMS = 10
/** Fixed by Linux for /proc, independent of the kernel's timer. */
const TICKS_PER_SECOND = 100
const SERVERS = {
  MySQL: /mariadbd|mysqld/,
  MongoDB: /ferretdb|postgres|mongod/,
  Redis: /redis-server/,
  Kafka: /java.*kafka/,
} as const

/** Returns the CPU seconds of every process of a server so far, by pid. */
function serverSeconds(pattern: RegExp): Map<string, number> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const found = pids.map((pid) => [pid, readProcess(pid)] as const)
  return new Map(
    found.flatMap(([pid, each]) =>
      each && pattern.test(each.command) ? [[pid, each.seconds] as const] : [],
    ),
  )
}

const snapshot = () => Object.values(SERVERS).map(serverSeconds)

/** Returns the CPU seconds between two snapshots. A process that has ended meanwhile does not count. */
function secondsBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  return [...after].reduce((sum, [pid, seconds]) => sum + seconds - (before.get(pid) ?? 0), 0)
}

/** Returns undefined for a process that has ended meanwhile. */
function readProcess(pid: string): { command: string; seconds: number } | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { command, seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND }
  } catch {
    return undefined
  }
}

const rows: string[] = []
for (const processes of PROCESSES) {
  const subject = await startChatSubject({ processes })
  const agent = new Agent({ connections: IN_FLIGHT })
  try {
    for (let room = 1; room <= ROOMS; room++) await subject.room(room, USERS)
    const tokens = await Promise.all(Array.from({ length: USERS }, (_, index) => subject.token(index + 1)))
    let refused = 0
    const send = async (n: number) => {
      const { statusCode, body } = await request(
        `${subject.urls[n % processes]}/messages/${1 + (n % ROOMS)}`,
        {
          method: 'POST',
          dispatcher: agent,
          headers: { authorization: `Bearer ${tokens[n % USERS]}`, 'content-type': 'application/json' },
          body: JSON.stringify({ content: 'See you there!' }),
        },
      )
      const text = await body.text()
      // A machine that is too busy says so.
      if (statusCode === 503) refused++
      else if (statusCode !== 201) throw new Error(`send: ${statusCode} ${text}`)
    }
    await measure(IN_FLIGHT, WARM_UP_MS, send)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const [before, own] = [snapshot(), await subject.cpuSeconds()]
    refused = 0
    const { count, perSecond, p50, p99 } = await measure(IN_FLIGHT, PHASE_MS, send)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    const after = snapshot()
    const inUs = (seconds: number) => ((seconds / count) * 1e6).toFixed(0)
    const ofServers = before.map((each, index) => inUs(secondsBetween(each, after[index]!)))
    rows.push(
      `| ${processes} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} / ${p99.toFixed(1)} | ${inUs((await subject.cpuSeconds()) - own)} | ${ofServers.join(' | ')} | ${refused} |`,
    )
  } finally {
    await agent.close()
    await subject.stop()
  }
}
console.log(`CPU per message, µs, ${IN_FLIGHT} in flight in ${ROOMS} rooms, stored, published and indexed for search

| processes | sends/s | p50 / p99 ms | chat-service | ${Object.keys(SERVERS).join(' | ')} | refused |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`)
