import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnalysisReport, AnalysisRequest } from '@bigtech/contracts'
import { createLogger, createMetrics, Lifecycle, startAtZero } from '@bigtech/service-kit'
import PQueue from 'p-queue'
import { Gauge, Histogram } from 'prom-client'
import { analyze } from './analyzer.ts'
import type { Config } from './config.ts'
import { Refused, readAnalysis } from './incoming-analysis.ts'
import { createHttpServer, type HttpServer } from './infrastructure/http-server.ts'
import { deliver } from './webhook.ts'

export interface AnalysisService {
  readonly app: HttpServer
  readonly lifecycle: Lifecycle
  readonly log: ReturnType<typeof createLogger>
  start(): Promise<string>
  stop(): Promise<boolean>
}

/** Wires the service: `POST /analyses` returns 202; a webhook reports the result. */
export async function buildAnalysisService(config: Config): Promise<AnalysisService> {
  const log = createLogger({ service: 'analysis-service', level: config.LOG_LEVEL })
  const lifecycle = new Lifecycle(log)
  const metrics = createMetrics('analysis-service')
  const queue = new PQueue({ concurrency: config.ANALYSIS_SLOTS })
  const isFull = () => queue.pending >= config.ANALYSIS_SLOTS && queue.size >= config.ANALYSIS_QUEUE
  const { duration } = measure(metrics, queue)
  const app = await createHttpServer(log)
  addProbes(app, lifecycle, metrics)

  const stopping = new AbortController()
  const webhook = { url: config.WEBHOOK_URL, secret: config.ANALYSIS_SECRET, log }
  async function work(wanted: AnalysisRequest, folder: string): Promise<void> {
    const end = duration.startTimer()
    const outcome = await analyze(
      {
        ffmpegPath: config.FFMPEG_PATH,
        reference: join(folder, 'reference'),
        recording: join(folder, 'recording'),
        text: wanted.text,
      },
      stopping.signal,
    )
    await rm(folder, { recursive: true, force: true })
    end({ result: outcome.status })
    // A stopping process reports nothing: the job is reassigned after its deadline.
    if (stopping.signal.aborted) return
    const { job_id, analysis_id } = wanted
    const report = { job_id, analysis_id, ...outcome } as AnalysisReport
    log.info({ job_id, status: outcome.status }, 'analysis ended')
    await deliver(webhook, report, stopping.signal)
  }

  app.post('/analyses', async (request, reply) => {
    const folder = await mkdtemp(join(tmpdir(), 'analysis-'))
    try {
      if (!request.isMultipart()) throw new Refused(415, 'Send multipart/form-data.')
      const wanted = await readAnalysis(request, folder, config.ANALYSIS_SECRET)
      if (lifecycle.isStopping || isFull()) throw new Refused(503, 'The queue is full; retry later.')
      void queue.add(() => work(wanted, folder))
      return reply.code(202).send({ analysis_id: wanted.analysis_id })
    } catch (err) {
      await rm(folder, { recursive: true, force: true })
      throw err
    }
  })

  lifecycle.onStop('http', 'http server', () => app.close())
  lifecycle.onStop('consumers', 'analyses', async () => {
    // Queued jobs still run, because each removes its recordings; the signal ends them at once.
    stopping.abort()
    await queue.onIdle()
  })
  return {
    app,
    lifecycle,
    log,
    start: () => app.listen({ host: config.HOST, port: config.PORT }),
    stop: () => lifecycle.stop(),
  }
}

function measure(registry: ReturnType<typeof createMetrics>, queue: PQueue) {
  const registers = [registry]
  const duration = new Histogram({
    name: 'analysis_duration_seconds',
    help: 'Duration of an analysis, by result: succeeded, failed.',
    labelNames: ['result'] as const,
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40],
    registers,
  })
  startAtZero(duration, { result: ['succeeded', 'failed'] })
  new Gauge({
    name: 'analyses_waiting',
    help: 'Queued recordings.',
    registers,
    collect() {
      this.set(queue.size)
    },
  })
  return { duration }
}

function addProbes(app: HttpServer, lifecycle: Lifecycle, metrics: ReturnType<typeof createMetrics>): void {
  app.get('/health', () => ({ status: 'healthy', service: 'Analysis Service' }))
  app.get('/live', () => ({ status: 'live' }))
  app.get('/ready', (_request, reply) =>
    lifecycle.isStopping ? reply.code(503).send({ status: 'stopping' }) : { status: 'ready' },
  )
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  )
}
