import { readPositionals } from '@bigtech/service-kit'
import { Agent, request } from 'undici'
import { startChatSubject } from './chat-subject.ts'
import { startConsumers } from './consumer-subject.ts'
import { measure } from './measure.ts'
import { allProcesses, usageOfProcess } from './proc.ts'

const usage = `Usage: node tests/load/processes.ts
CPU of every server per message, with 1, 2 and 4 processes of chat-service that get the messages at random, and with 4 of which each
gets all messages of some rooms, until notification- and analytics-service have applied all messages. Every message is planned as a push to
19 members. Counts every process of this machine with the server's name, so nothing else may run. A machine with few cores cannot show
throughput; CPU per message shows what grows with the number of processes. Takes about two minutes.

    BIGTECH_SERVERS_FILE=... node tests/load/processes.ts`

readPositionals(usage)
interface Case {
  readonly processes: number
  /** Whether a room's messages all go to the same process. */
  readonly isByRoom?: boolean
}

const CASES: readonly Case[] = [
  { processes: 1 },
  { processes: 2 },
  { processes: 4 },
  { processes: 4, isByRoom: true },
]
const IN_FLIGHT = 32
const WARM_UP_MS = 2_000
const PHASE_MS = 6_000
/** Includes the relay and the search index, which follow the sends. */
const SETTLE_MS = 3_000
const USERS = 20
const ROOMS = Array.from({ length: 10 }, (_, index) => index + 1)
const SERVERS = {
  MySQL: /mariadbd|mysqld/,
  MongoDB: /ferretdb|postgres|mongod/,
  Redis: /redis-server/,
  Kafka: /java.*kafka/,
} as const

/** Returns the CPU seconds of every process of each server so far, by pid. */
function snapshot(): Map<number, number>[] {
  const processes = allProcesses()
  return Object.values(SERVERS).map(
    (pattern) =>
      new Map(
        processes.filter(({ command }) => pattern.test(command)).map((each) => [each.pid, each.cpuSeconds]),
      ),
  )
}

/** Returns the CPU seconds between two snapshots. A process that has ended meanwhile does not count. */
function secondsBetween(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  return [...after].reduce((sum, [pid, seconds]) => sum + seconds - (before.get(pid) ?? 0), 0)
}

async function rowFor({ processes, isByRoom = false }: Case): Promise<string> {
  const subject = await startChatSubject({ processes })
  const consumers = await startConsumers(subject)
  const agent = new Agent({ connections: IN_FLIGHT })
  const own = async () => [
    await subject.cpuSeconds(),
    ...Object.values(consumers.pids).map((pid) => usageOfProcess(pid)!.cpuSeconds),
  ]
  try {
    for (const room of ROOMS) await subject.room(room, USERS)
    const userIds = Array.from({ length: USERS }, (_, index) => index + 1)
    await consumers.announceRooms(ROOMS, userIds)
    const tokens = await Promise.all(userIds.map((userId) => subject.token(userId)))
    let [stored, refused] = [0, 0]
    const send = async (n: number) => {
      const room = ROOMS[n % ROOMS.length]!
      const process = isByRoom ? room % processes : Math.floor(Math.random() * processes)
      const url = `${subject.urls[process]}/messages/${room}`
      const { statusCode, body } = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: { authorization: `Bearer ${tokens[n % USERS]}`, 'content-type': 'application/json' },
        body: JSON.stringify({ content: 'See you there!' }),
      })
      const text = await body.text()
      // A machine that is too busy says so.
      if (statusCode === 503) refused++
      else if (statusCode !== 201) throw new Error(`send: ${statusCode} ${text}`)
      else stored++
    }
    const settled = async () => {
      // Each room was announced by an event.
      await consumers.applied(stored + ROOMS.length)
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    }
    await measure(IN_FLIGHT, WARM_UP_MS, send)
    await settled()
    const [serversBefore, ownBefore, storedBefore] = [snapshot(), await own(), stored]
    refused = 0
    const { perSecond, p50, p99 } = await measure(IN_FLIGHT, PHASE_MS, send)
    await settled()
    const [serversAfter, ownAfter] = [snapshot(), await own()]
    const us = [
      ...ownAfter.map((seconds, index) => seconds - ownBefore[index]!),
      ...serversBefore.map((each, index) => secondsBetween(each, serversAfter[index]!)),
    ].map((seconds) => ((seconds / (stored - storedBefore)) * 1e6).toFixed(0))
    return `| ${processes}${isByRoom ? ', by room' : ''} | ${perSecond.toFixed(0)} | ${p50.toFixed(1)} / ${p99.toFixed(1)} | ${us.join(' | ')} | ${refused} |`
  } finally {
    await agent.close()
    await consumers.stop()
    await subject.stop()
  }
}

const rows: string[] = []
for (const each of CASES) rows.push(await rowFor(each))
console.log(`CPU per message, µs, ${IN_FLIGHT} in flight in ${ROOMS.length} rooms of ${USERS} members: stored, published, indexed for search, planned as push, and counted

| processes | sends/s | p50 / p99 ms | chat-service | notification-service | analytics-service | ${Object.keys(SERVERS).join(' | ')} | refused |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`)
