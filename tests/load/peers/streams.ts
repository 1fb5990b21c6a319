import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { usageOfTree } from '../proc.ts'
import type { Peer } from './peer.ts'

const MARK = 'TS0'
/** Microseconds since 1970, padded. */
const TIME_DIGITS = 17
const STAMP_LENGTH = MARK.length + TIME_DIGITS
const FILLER = 'x'.repeat(80)
/** Reading the clock for each delivery would cost the load more than the server. */
const SAMPLE_EVERY = 16
const OPENED_AT_ONCE = 25
const OPEN_PAUSE_MS = 25
const WARM_UP_MESSAGES = 200
const WARM_UP_STREAMS = 1_000
const SETTLE_MS = 1_500
/** Work that a start or an opening leaves behind: compilation, garbage collection. */
export const REST_MS = 20_000

const nowUs = () => (performance.timeOrigin + performance.now()) * 1_000
const stamp = () => `${MARK}${String(Math.round(nowUs())).padStart(TIME_DIGITS, '0')}${FILLER}`

/** The open streams of a server, and what has arrived on them. */
class Streams {
  readonly #sockets: Socket[] = []
  readonly latencies: number[] = []
  delivered = 0
  opened = 0
  lost = 0

  open(port: number, request: string): void {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.write(request)
    socket.on('error', () => undefined)
    socket.once('close', () => this.lost++)
    let rest: Buffer | undefined
    socket.once('data', (chunk) => {
      if (chunk.includes(' 200 OK')) this.opened++
    })
    socket.on('data', (chunk) => {
      rest = this.#count(rest ? Buffer.concat([rest, chunk]) : chunk)
    })
    this.#sockets.push(socket)
  }

  close(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy()
  }

  /** Returns the beginning of a stamp that the network has cut. */
  #count(data: Buffer): Buffer | undefined {
    let from = 0
    for (let at = data.indexOf(MARK); at !== -1; at = data.indexOf(MARK, from)) {
      from = at + STAMP_LENGTH
      if (from > data.length) return data.subarray(at)
      if (++this.delivered % SAMPLE_EVERY === 0)
        this.latencies.push((nowUs() - Number(data.toString('latin1', at + MARK.length, from))) / 1_000)
    }
    return data.length > from ? data.subarray(Math.max(from, data.length - MARK.length + 1)) : undefined
  }
}

async function openStreams(peer: Peer, count: number): Promise<Streams> {
  const streams = new Streams()
  const { port, opening } = peer.streams!
  for (let n = 0; n < count; n++) {
    streams.open(port, opening(n))
    if (n % OPENED_AT_ONCE === OPENED_AT_ONCE - 1) await delay(OPEN_PAUSE_MS)
  }
  const deadline = performance.now() + 20_000
  while (streams.opened < count && performance.now() < deadline) await delay(50)
  if (streams.opened < count) throw new Error(`${peer.name}: ${streams.opened} of ${count} streams opened`)
  return streams
}

export interface FanOut {
  /** 1 when every message has arrived at every stream. */
  readonly delivered: number
  /** CPU of the server per delivery, publishing included, in microseconds. */
  readonly cpuUs: number
  readonly p50: number
  readonly p99: number
}

/** Publishes at a steady rate to open streams. */
export async function measureFanOut(
  peer: Peer,
  { readers, perSecond, seconds }: { readers: number; perSecond: number; seconds: number },
): Promise<FanOut> {
  const streams = await openStreams(peer, readers)
  try {
    for (let n = 0; n < WARM_UP_MESSAGES; n++) await peer.streams!.publish('warm-up')
    await delay(SETTLE_MS)
    const cpuBefore = usageOfTree(peer.pid!).cpuSeconds
    const startedAt = performance.now()
    const pending: Promise<void>[] = []
    for (let n = 0; n < perSecond * seconds; n++) {
      const waitMs = startedAt + (n * 1_000) / perSecond - performance.now()
      if (waitMs > 0) await delay(waitMs)
      pending.push(peer.streams!.publish(stamp()))
    }
    await Promise.all(pending)
    await delay(SETTLE_MS)
    const cpuSeconds = usageOfTree(peer.pid!).cpuSeconds - cpuBefore
    const sorted = streams.latencies.toSorted((a, b) => a - b)
    const at = (quantile: number) => sorted[Math.floor(sorted.length * quantile)] ?? Number.NaN
    return {
      delivered: streams.delivered / (readers * perSecond * seconds),
      cpuUs: (cpuSeconds / streams.delivered) * 1e6,
      p50: at(0.5),
      p99: at(0.99),
    }
  } finally {
    streams.close()
  }
}

export interface IdleStreams {
  readonly kibEach: number
  /** CPU of all streams together, in milliseconds per second. */
  readonly cpuMsPerSecond: number
  readonly openingUs: number
  readonly lost: number
}

/** Opens streams on which nothing happens. Choose longer `seconds` than any server's interval of heartbeats. */
export async function measureIdleStreams(
  peer: Peer,
  { count, seconds }: { count: number; seconds: number },
): Promise<IdleStreams> {
  const warmUp = await openStreams(peer, WARM_UP_STREAMS)
  warmUp.close()
  await delay(REST_MS)
  const before = usageOfTree(peer.pid!)
  const streams = await openStreams(peer, count)
  try {
    const opened = usageOfTree(peer.pid!)
    await delay(REST_MS)
    const idleFrom = usageOfTree(peer.pid!)
    await delay(seconds * 1_000)
    const idleTo = usageOfTree(peer.pid!)
    return {
      kibEach: (idleTo.residentKb - before.residentKb) / count,
      cpuMsPerSecond: ((idleTo.cpuSeconds - idleFrom.cpuSeconds) / seconds) * 1_000,
      openingUs: ((opened.cpuSeconds - before.cpuSeconds) / count) * 1e6,
      lost: streams.lost,
    }
  } finally {
    streams.close()
  }
}
