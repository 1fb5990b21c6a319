import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * Clients that send messages to one room, in a thread of their own, on plain sockets: a client of HTTP costs more CPU per request than
 * the service needs to refuse one. Each has one connection and one message in flight, in the order of writing. After a refusal
 * it waits like the SDK's outbox: `Retry-After`, plus a random part of a backoff that doubles with each refusal in a row.
 */
export interface SendClients {
  readonly hostname: string
  readonly port: number
  readonly roomId: number
  readonly tokens: readonly string[]
}

/** One run of the first `clients` clients. */
export interface SendRun {
  readonly clients: number
  readonly ms: number
  /** Messages that all clients together write per second, accepted or not; without it each writes the next one after the response. */
  readonly writtenPerSecond?: number
}

export interface SendOutcome {
  readonly written: number
  readonly attempts: number
  /** Client message ids of accepted messages. */
  readonly acceptedIds: readonly string[]
  /** Accepted before the end of the run; later responses belong to attempts made before it. */
  readonly acceptedInTime: number
  readonly acceptedMs: readonly number[]
  readonly refused: number
  readonly withoutRetryAfter: number
  readonly failures: ReadonlyMap<string, number>
  /** CPU of this thread. */
  readonly cpuSeconds: number
}

const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000
const SETTLE_MS = 30_000
const TICK_MS = 5

const { hostname, port, roomId, tokens } = workerData as SendClients

class Run {
  readonly name: string
  readonly #options: SendRun
  readonly #startedAt = performance.now()
  readonly outcome = {
    written: 0,
    attempts: 0,
    acceptedIds: [] as string[],
    acceptedInTime: 0,
    acceptedMs: [] as number[],
    refused: 0,
    withoutRetryAfter: 0,
    failures: new Map<string, number>(),
    cpuSeconds: 0,
  }

  constructor(name: string, options: SendRun) {
    this.name = name
    this.#options = options
  }

  get isOver(): boolean {
    return performance.now() - this.#startedAt >= this.#options.ms
  }

  /** Returns how many messages this client has written so far. */
  writtenBy(index: number): number {
    const { writtenPerSecond, clients } = this.#options
    if (writtenPerSecond === undefined) return Number.POSITIVE_INFINITY
    const seconds = (performance.now() - this.#startedAt) / 1_000
    // Spread evenly: client 0 does not write in the same moment as client 1.
    return Math.floor((seconds * writtenPerSecond + clients - index) / clients)
  }

  fail(what: string): void {
    const { failures } = this.outcome
    failures.set(what, (failures.get(what) ?? 0) + 1)
  }
}

class Client {
  readonly #index: number
  readonly #socket: Socket
  readonly #head: string
  #run: Run | undefined
  #sent = 0
  #refusedInARow = 0
  #resumesAt = 0
  #attemptedAt = 0
  #messageId = ''
  #received = ''
  isWaiting = false

  constructor(index: number, token: string) {
    this.#index = index
    this.#head = `POST /messages/${roomId} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: `
    this.#socket = connect({ host: hostname, port, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (chunk: string) => this.#read(chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      if (this.isWaiting) this.#run?.fail('connection closed')
      this.isWaiting = false
    })
  }

  start(run: Run): void {
    this.#run = run
    this.#sent = 0
    this.#refusedInARow = 0
    this.#resumesAt = 0
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Sends the next message when it is due. */
  sendIfDue(): void {
    const run = this.#run!
    const now = performance.now()
    if (this.isWaiting || run.isOver || now < this.#resumesAt || run.writtenBy(this.#index) <= this.#sent)
      return
    this.#messageId = `${run.name}-${this.#index}-${this.#sent}`
    const body = `{"content":"See you there!","client_message_id":"${this.#messageId}"}`
    this.isWaiting = true
    this.#attemptedAt = now
    run.outcome.attempts++
    this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, 'latin1')
  }

  #read(chunk: string): void {
    this.#received += chunk
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = this.#received.slice(0, headEnd).toLowerCase()
    const length = Number(/\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
    if (this.#received.length < headEnd + 4 + length) return
    this.#received = this.#received.slice(headEnd + 4 + length)
    this.#answered(Number(head.slice(9, 12)), Number(/\nretry-after: (\d+)/.exec(head)?.[1]))
  }

  #answered(status: number, retryAfterSeconds: number): void {
    const run = this.#run!
    const { outcome } = run
    this.isWaiting = false
    if (status === 201) {
      outcome.acceptedIds.push(this.#messageId)
      outcome.acceptedMs.push(performance.now() - this.#attemptedAt)
      if (!run.isOver) outcome.acceptedInTime++
      this.#sent++
      this.#refusedInARow = 0
    } else if (status === 429 || status === 503) {
      outcome.refused++
      if (Number.isNaN(retryAfterSeconds)) outcome.withoutRetryAfter++
      const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#refusedInARow++)
      this.#resumesAt = performance.now() + (retryAfterSeconds || 0) * 1_000 + Math.random() * backoffMs
    } else {
      run.fail(String(status))
      this.#sent++
    }
    this.sendIfDue()
  }
}

const clients = tokens.map((token, index) => new Client(index, token))
let runs = 0

async function runClients(options: SendRun): Promise<SendOutcome> {
  const chosen = clients.slice(0, options.clients)
  const run = new Run(`run${++runs}`, options)
  const { user, system } = process.threadCpuUsage()
  for (const client of chosen) client.start(run)
  while (!run.isOver) {
    for (const client of chosen) client.sendIfDue()
    await delay(TICK_MS)
  }
  for (let waited = 0; waited < SETTLE_MS && chosen.some(({ isWaiting }) => isWaiting); waited += TICK_MS)
    await delay(TICK_MS)
  const cpu = process.threadCpuUsage()
  run.outcome.cpuSeconds = (cpu.user - user + cpu.system - system) / 1e6
  run.outcome.written =
    options.writtenPerSecond === undefined
      ? run.outcome.acceptedIds.length
      : (options.writtenPerSecond * options.ms) / 1_000
  return run.outcome
}

parentPort?.on('message', (message: SendRun | 'close') => {
  if (message === 'close') {
    for (const client of clients) client.close()
    parentPort!.close()
  } else void runClients(message).then((outcome) => parentPort!.postMessage(outcome))
})
