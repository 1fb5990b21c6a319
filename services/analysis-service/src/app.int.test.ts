import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnalysisReport, analysisReport, maxRecordingBytes } from '@bigtech/contracts'
import { loadConfig, signWebhook, verifyWebhook } from '@bigtech/service-kit'
import { speak, startHttpServer, type TestHttpServer, testAudioTools, waitFor } from '@bigtech/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type AnalysisService, buildAnalysisService } from './app.ts'
import { configSchema } from './config.ts'

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
const TEXT = '오늘 저녁에 같이 영화를 보러 갈까요'

const reports: AnalysisReport[] = []
/** Statuses that the receiver returns before it accepts a report. */
let refusals: number[] = []
const ids: string[] = []
let receiver: TestHttpServer
let clip: Uint8Array<ArrayBuffer>
const services: AnalysisService[] = []
beforeAll(async () => {
  receiver = await startHttpServer(async (request, response) => {
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
  clip = await speak(TEXT, 'ko')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(services.splice(0).map((service) => service.stop()))
})
afterAll(() => receiver.close())

async function start(env: Record<string, string> = {}): Promise<string> {
  const service = await buildAnalysisService(
    loadConfig(configSchema, {
      LOG_LEVEL: 'silent',
      PORT: '0',
      ANALYSIS_SECRET: SECRET,
      WEBHOOK_URL: `${receiver.url}/report`,
      FFMPEG_PATH: testAudioTools().ffmpeg,
      ...env,
    }),
  )
  services.push(service)
  return service.start()
}

function send(
  url: string,
  { recording = clip, secret = SECRET, text = TEXT, parts = ['request', 'reference', 'recording'] } = {},
) {
  const request = { job_id: crypto.randomUUID(), analysis_id: crypto.randomUUID(), text, language: 'ko' }
  const signed = JSON.stringify(request)
  const form = new FormData()
  for (const part of parts) {
    if (part === 'request') form.set(part, signed)
    else form.set(part, new Blob([part === 'recording' ? recording : clip]), part)
  }
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

  it('analysis-service reports an analysis that crashed as a failure worth retrying', async () => {
    const { request } = await send(await start({ FFMPEG_PATH: '/no/such/program' }))
    expect(await reportOf(request.job_id)).toMatchObject({
      error: { code: 'ANALYSIS_FAILED', retryable: true },
    })
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
    expect((await send(url, { parts: ['request', 'reference'] })).response.status).toBe(422)
    expect((await fetch(`${url}/analyses`, { method: 'POST' })).status).toBe(415)
  })

  it('analysis-service rejects a clip before the signed request, an unknown part, and a clip above 50 MB', async () => {
    const url = await start()
    const problem = async (parts: string[], recording = clip) => {
      const { response } = await send(url, { parts, recording })
      return { status: response.status, detail: ((await response.json()) as { detail: string }).detail }
    }
    expect((await problem(['reference', 'request', 'recording'])).status).toBe(401)
    expect(await problem(['request', 'reference', 'other'])).toEqual({
      status: 422,
      detail: 'Unknown part other.',
    })
    const tooLarge = new Uint8Array(maxRecordingBytes + 1)
    expect((await problem(['request', 'reference', 'recording'], tooLarge)).status).toBe(413)
  })

  it('analysis-service refuses a recording longer than 30 seconds even if it is silent after the text', async () => {
    const { request } = await send(await start(), { recording: padded(clip, 32) })
    expect(await reportOf(request.job_id)).toMatchObject({ error: { code: 'TOO_LONG', retryable: false } })
  })

  it('analysis-service leaves no recording on disk after a report, a refusal and a stop with queued recordings', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'analysis-test-'))
    vi.stubEnv('TMPDIR', folder)
    const url = await start()
    const { request } = await send(url)
    await reportOf(request.job_id)
    expect(await readdir(folder)).toEqual([])
    expect((await send(url, { parts: ['request', 'reference'] })).response.status).toBe(422)
    expect(await readdir(folder)).toEqual([])
    const waiting = await Promise.all([send(url), send(url), send(url)])
    expect(waiting.map(({ response }) => response.status)).toEqual([202, 202, 202])
    await services.pop()!.stop()
    expect(await readdir(folder)).toEqual([])
    await rm(folder, { recursive: true })
  })

  it('analysis-service returns 503 with Retry-After while its queue is full', async () => {
    const url = await start({ ANALYSIS_QUEUE: '0' })
    const responses = [(await send(url)).response, (await send(url)).response]
    expect(responses.map(({ status }) => status)).toEqual([202, 503])
    expect(Number(responses[1]!.headers.get('retry-after'))).toBeGreaterThan(0)
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

/** Returns a mono 16-bit WAV with silence appended. */
function padded(wav: Uint8Array, seconds: number): Uint8Array<ArrayBuffer> {
  const bytesPerSecond = Buffer.from(wav).readUInt32LE(28)
  const whole = Buffer.concat([wav, Buffer.alloc(bytesPerSecond * seconds)])
  const data = whole.indexOf('data')
  whole.writeUInt32LE(whole.length - 8, 4)
  whole.writeUInt32LE(whole.length - data - 8, data + 4)
  return new Uint8Array(whole)
}
