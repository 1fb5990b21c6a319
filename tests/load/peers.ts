import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { readPositionals } from '@bigtech/service-kit'
import { measure } from './measure.ts'
import { type Aim, aimsTable, type Figure, figuresTable } from './peers/aims.ts'
import { startCentrifugo } from './peers/centrifugo.ts'
import { startFastApi } from './peers/fastapi.ts'
import { startNchan } from './peers/nchan.ts'
import { OURS, startAccounts, startChat, startHello } from './peers/ours.ts'
import type { Peer } from './peers/peer.ts'
import { measureFanOut, measureIdleStreams, REST_MS } from './peers/streams.ts'
import { startTinode } from './peers/tinode.ts'
import { usageOfTree } from './proc.ts'

const usage = `Usage: node tests/load/peers.ts [SECTION ...]
The system beside its peers, in one run on one machine: durable sends (Tinode, FastAPI), a row by its key (FastAPI, Fastify), messages
to open streams and idle streams (Centrifugo, Nchan). Fetches the peers the first time, with Go, pip and apt, into .devstack/peers;
leaves out a peer that cannot be had. Takes about eight minutes, and about five more the first time. Sections: sends, reads, fan-out, idle.

    BIGTECH_SERVERS_FILE=... node tests/load/peers.ts             all sections
    BIGTECH_SERVERS_FILE=... node tests/load/peers.ts sends`

const SECTIONS = ['sends', 'reads', 'fan-out', 'idle']
const CONTENT = '안녕하세요, 내일 회의는 세 시입니다. See you there!'
const IN_FLIGHT = [1, 32, 128]
const READS_IN_FLIGHT = 32
/** The middle of several short rounds in turn: what else the machine does hits all servers alike. */
const ROUNDS = 3
const ROUND_MS = 2_000
const WARM_UP_MS = 5_000
const READERS = 1_000
const FAN_OUTS = [
  { readers: 1_000, perSecond: 20, seconds: 6 },
  { readers: 200, perSecond: 100, seconds: 5 },
  { readers: 1_000, perSecond: 60, seconds: 4 },
]
const IDLE = { count: 8_000, seconds: 30 }

const sendRow = (inFlight: number) => `send, ${inFlight} in flight`
const READ_ROW = `own profile or row by id, ${READS_IN_FLIGHT} in flight`
const HELLO = 'Fastify, a constant'
const fanOutRow = ({ readers, perSecond }: { readers: number; perSecond: number }) =>
  `${readers.toLocaleString('en')} streams x ${perSecond}/s`
const IDLE_ROW = `${IDLE.count.toLocaleString('en')} idle streams`
const [slow, small, fast] = FAN_OUTS.map(fanOutRow) as [string, string, string]

const AIMS: readonly Aim[] = [
  { row: sendRow(1), what: 'perSecond', beside: { server: 'Tinode' }, atLeast: 1.2 },
  { row: sendRow(32), what: 'perSecond', beside: { server: 'Tinode' }, atLeast: 5 },
  { row: sendRow(32), what: 'p99', beside: { server: OURS, what: 'p50' }, atMost: 2 },
  { row: sendRow(128), what: 'perSecond', beside: { server: 'Tinode' }, atLeast: 7 },
  { row: READ_ROW, what: 'perSecond', beside: { server: HELLO }, atLeast: 0.35 },
  { row: READ_ROW, what: 'perSecond', beside: { server: 'FastAPI' }, atLeast: 6 },
  { row: slow, what: 'cpuUs', beside: { server: 'Centrifugo' }, atMost: 0.6 },
  { row: slow, what: 'cpuUs', beside: { server: 'Nchan' }, atMost: 1.4 },
  { row: small, what: 'cpuUs', beside: { server: 'Centrifugo' }, atMost: 1 },
  { row: small, what: 'p50', beside: { server: OURS, row: sendRow(1) }, plus: 5, atMost: 1 },
  { row: fast, what: 'p99', atMost: 50 },
  { row: IDLE_ROW, what: 'kib', atMost: 15 },
  { row: IDLE_ROW, what: 'cpuMsPerSecond', atMost: 30 },
  { row: IDLE_ROW, what: 'cpuUs', atMost: 300 },
]

const chosen = readPositionals(usage, SECTIONS.length)
const unknown = chosen.filter((name) => !SECTIONS.includes(name))
if (unknown.length > 0) {
  console.error(`There is no section "${unknown.join(', ')}": ${SECTIONS.join(', ')}.`)
  process.exit(2)
}
const figures = new Map<string, Map<string, Figure>>()
const missing = new Map<string, string>()

function note(row: string, server: string, figure: Figure): void {
  figures.set(row, (figures.get(row) ?? new Map()).set(server, figure))
  console.error(
    `${row}: ${server} ${JSON.stringify(figure, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value))}`,
  )
}

/** Starts a peer; one that cannot be had is named in the output, and the run goes on with the others. */
async function tryStart(name: string, start: () => Promise<Peer>): Promise<Peer[]> {
  if (missing.has(name)) return []
  try {
    return [await start()]
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    console.error(`${name} cannot be had here, so its figures are missing: ${reason}`)
    missing.set(name, reason.split('\n')[0]!)
    return []
  }
}

/** Runs a section with its servers, and stops them. */
async function withPeers(
  section: string,
  start: () => Promise<Peer[][]>,
  work: (peers: readonly Peer[]) => Promise<void>,
): Promise<void> {
  if (chosen.length > 0 && !chosen.includes(section)) return
  const peers = (await start()).flat()
  try {
    await work(peers)
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Measures the servers in turn, several rounds, and notes the middle round of each. */
async function inTurn(
  row: string,
  inFlight: number,
  peers: readonly Peer[],
  what: 'send' | 'read',
): Promise<void> {
  const rounds = new Map<Peer, Required<Pick<Figure, 'perSecond' | 'p50' | 'p99' | 'cpuUs'>>[]>()
  for (let round = 0; round < ROUNDS; round++)
    for (const peer of peers) {
      const cpu = () => (peer.pid === undefined ? Number.NaN : usageOfTree(peer.pid).cpuSeconds)
      const before = cpu()
      let refused = 0
      const once = (n: number) =>
        peer[what]!(n).catch((error: Error) => {
          // A server that is too busy says so.
          if (!error.message.includes(': 503 ')) throw error
          refused++
        })
      const { count, perSecond, p50, p99 } = await measure(inFlight, ROUND_MS, once)
      const cpuUs = ((cpu() - before) / (count - refused)) * 1e6
      if (refused > 0) console.error(`${row}: ${peer.name} refused ${refused} of ${count}`)
      rounds.set(peer, [
        ...(rounds.get(peer) ?? []),
        { perSecond: perSecond * (1 - refused / count), p50, p99, cpuUs },
      ])
    }
  for (const [peer, all] of rounds) {
    const middle = (key: 'perSecond' | 'p50' | 'p99' | 'cpuUs') => median(all.map((each) => each[key]))
    note(row, peer.name, {
      perSecond: middle('perSecond'),
      p50: middle('p50'),
      p99: middle('p99'),
      cpuUs: middle('cpuUs'),
    })
  }
}

await withPeers(
  'sends',
  async () => [
    [await startChat(CONTENT)],
    await tryStart('Tinode', () => startTinode(CONTENT)),
    await tryStart('FastAPI', () => startFastApi(CONTENT)),
  ],
  async (peers) => {
    for (const peer of peers) await measure(32, WARM_UP_MS, (n) => peer.send!(n))
    for (const inFlight of IN_FLIGHT) await inTurn(sendRow(inFlight), inFlight, peers, 'send')
  },
)
await withPeers(
  'reads',
  async () => [
    [await startAccounts()],
    [await startHello()],
    await tryStart('FastAPI', () => startFastApi(CONTENT)),
  ],
  async (peers) => {
    for (const peer of peers) await measure(READS_IN_FLIGHT, WARM_UP_MS, (n) => peer.read!(n))
    await inTurn(READ_ROW, READS_IN_FLIGHT, peers, 'read')
  },
)
const startStreamServers = async () => [
  [await startChat(CONTENT, READERS)],
  await tryStart('Centrifugo', startCentrifugo),
  await tryStart('Nchan', startNchan),
]
await withPeers('fan-out', startStreamServers, async (peers) => {
  await delay(REST_MS)
  for (const fanOut of FAN_OUTS)
    for (const peer of peers) note(fanOutRow(fanOut), peer.name, await measureFanOut(peer, fanOut))
})
await withPeers('idle', startStreamServers, async (peers) => {
  for (const peer of peers) {
    const { kibEach, cpuMsPerSecond, openingUs, lost } = await measureIdleStreams(peer, IDLE)
    note(IDLE_ROW, peer.name, {
      kib: kibEach,
      cpuMsPerSecond,
      cpuUs: openingUs,
      delivered: 1 - lost / IDLE.count,
    })
  }
})
const lines = [...missing].map(([name, reason]) => `${name} could not be had: ${reason}`)
console.log(`Beside peers in one run, ${availableParallelism()} cores shared by everything; the middle of ${ROUNDS} rounds for sends and reads

${aimsTable(
  AIMS.filter(({ row }) => figures.has(row)),
  figures,
  OURS,
)}

All figures; of idle streams, "each" is opening one, and "delivered" the share that stayed open.

${figuresTable(figures)}${lines.length > 0 ? `\n\n${lines.join('\n')}` : ''}`)
