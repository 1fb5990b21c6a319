import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AnalysisReport, analysisReport } from '@bigtech/contracts'
import { loadConfig, signWebhook, verifyWebhook } from '@bigtech/service-kit'
import { speak, testAudioTools, waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AnalysisService, buildAnalysisService } from './app.ts'
import { configSchema } from './config.ts'

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const TEXT = '오늘 저녁에 같이 영화를 보러 갈까요'

const reports: AnalysisReport[] = []
/** Statuses that the receiver returns before it accepts a report. */
let refusals: number[] = []
const ids: string[] = []
const receiver = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const id = verifyWebhook([SECRET], request.headers, body)
  if (id === undefined) return response.writeHead(401).end()
  ids.push(id)
  const refusal = refusals.shift()
  if (refusal !== undefined) return response.writeHead(refusal).end()
  reports.push(analysisReport.parse(JSON.parse(body.toString('utf8'))))
  return response.writeHead(204).end()
})

let clip: Uint8Array<ArrayBuffer>
const services: AnalysisService[] = []
beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  clip = await speak(TEXT, 'ko')
})
afterEach(() => Promise.all(services.splice(0).map((service) => service.stop())))
afterAll(() => receiver.close())

async function start(env: Record<string, string> = {}): Promise<string> {
  const service = await buildAnalysisService(
    loadConfig(configSchema, {
      LOG_LEVEL: 'silent',
      PORT: '0',
      ANALYSIS_SECRET: SECRET,
      WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/report`,
      FFMPEG_PATH: testAudioTools().ffmpeg,
      ...env,
    }),
  )
  services.push(service)
  return service.start()
}

function send(
  url: string,
  { recording = clip, secret = SECRET, text = TEXT, parts = ['reference', 'recording'] } = {},
) {
  const request = { job_id: crypto.randomUUID(), analysis_id: crypto.randomUUID(), text, language: 'ko' }
  const signed = JSON.stringify(request)
  const form = new FormData()
  form.set('request', signed)
  for (const part of parts) form.set(part, new Blob([part === 'recording' ? recording : clip]), part)
  const headers = { ...signWebhook(secret, crypto.randomUUID(), signed) }
  return fetch(`${url}/analyses`, { method: 'POST', headers, body: form }).then((response) => ({
    request,
    response,
  }))
}

const reportOf = async (jobId: string) => {
  await waitFor(() => reports.some(({ job_id }) => job_id === jobId), { timeoutMs: 40_000 })
  return reports.find(({ job_id }) => job_id === jobId)!
}

describe('analysis-service', () => {
  it('analysis-service accepts a recording with 202 and reports its scores by a signed webhook', async () => {
    const { request, response } = await send(await start())
    expect(response.status).toBe(202)
    const report = await reportOf(request.job_id)
    if (report.status !== 'succeeded') throw new Error(JSON.stringify(report))
    expect(report.analysis_id).toBe(request.analysis_id)
    expect(report.result.scores.overall).toBeGreaterThan(97)
    expect(report.result.feedback.words.map(({ word }) => word)).toEqual(TEXT.split(' '))
  })

  it('analysis-service reports an unscorable recording with a code, and keeps running', async () => {
    const url = await start()
    const broken = await send(url, { recording: new Uint8Array(Buffer.from('RIFF no sound at all')) })
    const silent = await send(url, { recording: silence() })
    expect(await reportOf(broken.request.job_id)).toMatchObject({
      error: { code: 'MEDIA_UNREADABLE', retryable: false },
    })
    expect(await reportOf(silent.request.job_id)).toMatchObject({ error: { code: 'NO_SPEECH' } })
    expect((await fetch(`${url}/ready`)).status).toBe(200)
  })

  it('analysis-service redelivers a report under the same id until it is accepted', async () => {
    refusals = [503, 500]
    ids.length = 0
    const { request } = await send(await start())
    await reportOf(request.job_id)
    expect(ids).toHaveLength(3)
    expect(new Set(ids).size).toBe(1)
  })

  it('analysis-service rejects a wrong signature before reading a clip, and a request without a signature', async () => {
    const url = await start()
    expect((await send(url, { secret: 'another-secret' })).response.status).toBe(401)
    expect((await send(url, { parts: ['reference'] })).response.status).toBe(422)
    expect((await fetch(`${url}/analyses`, { method: 'POST' })).status).toBe(415)
  })

  it('analysis-service returns 503 with Retry-After while its queue is full', async () => {
    const url = await start({ ANALYSIS_QUEUE: '0' })
    const answers = [await send(url), await send(url)]
    expect(answers.map(({ response }) => response.status)).toEqual([202, 503])
    expect(Number(answers[1]!.response.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

/** Returns two seconds of silence as a 16 kHz WAV. */
function silence(): Uint8Array<ArrayBuffer> {
  const wav = Buffer.alloc(44 + 64_000)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8)
  wav.writeUInt32LE(16, 16)
  wav.writeUInt16LE(1, 20)
  wav.writeUInt16LE(1, 22)
  wav.writeUInt32LE(16_000, 24)
  wav.writeUInt32LE(32_000, 28)
  wav.writeUInt16LE(2, 32)
  wav.writeUInt16LE(16, 34)
  wav.write('data', 36)
  wav.writeUInt32LE(64_000, 40)
  return new Uint8Array(wav)
}
