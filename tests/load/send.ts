import { availableParallelism } from 'node:os'
import { readPositionals } from '@bigtech/service-kit'
import mongoose from 'mongoose'
import { Agent, request } from 'undici'
import { startChatSubject } from './chat-subject.ts'
import { measure } from './measure.ts'
import { aimsOf, type FigureAim } from './report.ts'

const usage = `Usage: node tests/load/send.ts
Durable sends to one room, at 1, 32 and 128 in flight, beside a lean loop of the driver that
inserts as large a document as durably, and nothing else. Takes about 50 s.

    BIGTECH_SERVERS_FILE=... node tests/load/send.ts`

readPositionals(usage)
const PHASE_MS = 4_000
const WARM_UP_MS = 1_500
const IN_FLIGHT = [1, 32, 128]
const USERS = 20
const CONTENT = '안녕하세요, 내일 회의는 세 시입니다. See you there!'

const subject = await startChatSubject()
const connection = await mongoose.createConnection(subject.mongoUrl, { maxPoolSize: 128 }).asPromise()
const raw = connection.db!.collection<{ _id: string }>('load_raw')
const agent = new Agent({ connections: 128 })
try {
  await subject.room(1, USERS)
  const tokens = await Promise.all(Array.from({ length: USERS }, (_, index) => subject.token(index + 1)))
  let refused = 0
  const send = async (n: number) => {
    const response = await request(`${subject.url}/messages/1`, {
      method: 'POST',
      dispatcher: agent,
      headers: { authorization: `Bearer ${tokens[n % USERS]}`, 'content-type': 'application/json' },
      body: JSON.stringify({ content: CONTENT, client_message_id: `load-${Math.random()}` }),
    })
    const text = await response.body.text()
    // A machine that is too busy says so; anything else is a failure of the test.
    if (response.statusCode === 503) refused++
    else if (response.statusCode !== 201) throw new Error(`send: ${response.statusCode} ${text}`)
  }
  let inserted = 0
  const insert = async () => {
    const _id = `1:${String(++inserted).padStart(12, '0')}`
    const document = { _id, content: CONTENT, user_id: 1, created_at: new Date(), filler: 'x'.repeat(1_200) }
    await raw.insertOne(document, { writeConcern: { w: 'majority', j: true } })
  }
  await measure(32, WARM_UP_MS, send)
  await measure(32, WARM_UP_MS, insert)
  const rows: string[] = []
  const aims: FigureAim[] = []
  for (const inFlight of IN_FLIGHT) {
    const driver = await measure(inFlight, PHASE_MS, insert)
    refused = 0
    const cpuBefore = await subject.cpuSeconds()
    const sends = await measure(inFlight, PHASE_MS, send)
    const cpu = (await subject.cpuSeconds()) - cpuBefore
    const count = sends.perSecond * (PHASE_MS / 1_000)
    if (inFlight === 32)
      aims.push({ what: '32 in flight: p99 / p50', figure: sends.p99 / sends.p50, atMost: 2 })
    if (inFlight === 128)
      aims.push({ what: '128 in flight: ratio', figure: sends.perSecond / driver.perSecond, atLeast: 0.9 })
    rows.push(
      `| ${inFlight} | ${sends.perSecond.toFixed(0)} | ${sends.p50.toFixed(1)} / ${sends.p99.toFixed(1)} | ${driver.perSecond.toFixed(0)} | ${driver.p50.toFixed(1)} / ${driver.p99.toFixed(1)} | ${(sends.perSecond / driver.perSecond).toFixed(2)} | ${((cpu / count) * 1e6).toFixed(0)} | ${refused} |`,
    )
  }
  console.log(`Durable sends to one room, ${availableParallelism()} cores shared by everything

| in flight | sends/s | p50 / p99 ms | driver inserts/s | p50 / p99 ms | ratio | CPU of the service a send, µs | refused |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

${aimsOf(aims)}`)
} finally {
  await agent.close()
  await connection.close()
  await subject.stop()
}
