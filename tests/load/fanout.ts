import { connect, type Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { readPositionals } from '@bigtech/service-kit'
import { startChatSubject } from './chat-subject.ts'

const usage = `Usage: node tests/load/fanout.ts
What it costs to show a message to everybody in a room: 100 and 1,000 open streams, a steady flow
of messages, and every one of them must arrive at every stream. Takes about 50 s.

    BIGTECH_SERVERS_FILE=... node tests/load/fanout.ts`

readPositionals(usage)
const CASES = [
  { readers: 100, messagesPerSecond: 100 },
  { readers: 1_000, messagesPerSecond: 20 },
]
const SECONDS = 6
const SETTLE_MS = 10_000
const MARK = Buffer.from('event: message\n')
const OPENED_AT_ONCE = 50

interface Reader {
  readonly socket: Socket
  received: number
  rest: Buffer
  lost: boolean
}

async function openReader(url: string, token: string): Promise<Reader> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const reader: Reader = { socket, received: 0, rest: Buffer.alloc(0), lost: false }
  socket.write(`GET /stream HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\n\r\n`)
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', () => {
      reader.lost = true
    })
    let begun = false
    socket.on('data', (chunk) => {
      if (!begun && chunk.includes('event: reset')) {
        begun = true
        resolve()
      }
      count(reader, chunk)
    })
  })
  return reader
}

/** A mark may be cut in two by the network. */
function count(reader: Reader, chunk: Buffer): void {
  const data = Buffer.concat([reader.rest, chunk])
  let from = 0
  for (let at = data.indexOf(MARK); at !== -1; at = data.indexOf(MARK, from)) {
    reader.received++
    from = at + MARK.length
  }
  reader.rest = data.subarray(Math.max(from, data.length - MARK.length + 1))
}

async function openAll(url: string, tokens: readonly string[]): Promise<Reader[]> {
  const readers: Reader[] = []
  for (let start = 0; start < tokens.length; start += OPENED_AT_ONCE) {
    const some = tokens.slice(start, start + OPENED_AT_ONCE)
    readers.push(...(await Promise.all(some.map((token) => openReader(url, token)))))
  }
  return readers
}

async function sendAtRate(url: string, roomId: number, token: string, perSecond: number): Promise<number> {
  const total = perSecond * SECONDS
  const startedAt = performance.now()
  const pending: Promise<void>[] = []
  for (let n = 0; n < total; n++) {
    const waitMs = startedAt + (n * 1_000) / perSecond - performance.now()
    if (waitMs > 0) await delay(waitMs)
    const sending = fetch(`${url}/messages/${roomId}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ content: `message ${n}` }),
    }).then(async (response) => {
      if (response.status !== 201) throw new Error(`send: ${response.status} ${await response.text()}`)
      await response.body?.cancel()
    })
    pending.push(sending)
  }
  await Promise.all(pending)
  return total
}

const subject = await startChatSubject()
const rows: string[] = []
try {
  let roomId = 0
  for (const { readers: wanted, messagesPerSecond } of CASES) {
    // Other people than before: who is in which room is remembered by the process.
    const firstUser = ++roomId * 10_000
    await subject.room(roomId, wanted, firstUser)
    const tokens = await Promise.all(
      Array.from({ length: wanted }, (_, index) => subject.token(firstUser + index)),
    )
    await sendAtRate(subject.url, roomId, tokens[0]!, messagesPerSecond)
    const before = await subject.cpuSeconds()
    await sendAtRate(subject.url, roomId, tokens[0]!, messagesPerSecond)
    const withoutReaders = (await subject.cpuSeconds()) - before
    const openedAt = performance.now()
    const readers = await openAll(subject.url, tokens)
    const openMs = (performance.now() - openedAt) / wanted
    const cpuBefore = await subject.cpuSeconds()
    const sent = await sendAtRate(subject.url, roomId, tokens[0]!, messagesPerSecond)
    const deadline = performance.now() + SETTLE_MS
    while (readers.some(({ received }) => received < sent) && performance.now() < deadline) await delay(20)
    const cpu = (await subject.cpuSeconds()) - cpuBefore
    const delivered = readers.reduce((sum, { received }) => sum + received, 0)
    const perDelivery = ((cpu - withoutReaders) / delivered) * 1e6
    rows.push(
      `| ${wanted} | ${messagesPerSecond} | ${delivered} of ${sent * wanted} (${((delivered / (sent * wanted)) * 100).toFixed(2)} %) | ${perDelivery.toFixed(1)} | ${((cpu / delivered) * 1e6).toFixed(1)} | ${openMs.toFixed(1)} | ${readers.filter(({ lost }) => lost).length} |`,
    )
    for (const { socket } of readers) socket.destroy()
    await delay(500)
  }
  console.log(`Fan-out of a room's messages, ${availableParallelism()} cores shared by everything

| streams | messages/s | delivered | CPU a delivery, µs | with the sends themselves, µs | opening a stream, ms | cut |
|---|---|---|---|---|---|---|
${rows.join('\n')}`)
} finally {
  await subject.stop()
}
