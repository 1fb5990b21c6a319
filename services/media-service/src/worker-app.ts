import { hostname } from 'node:os'
import { purgeInbox } from '@bigtech/outbox'
import { buildService, type Service } from '@bigtech/service-kit'
import type { BuildOptions } from './app.ts'
import type { Config } from './config.ts'
import { processDocumentJob } from './modules/documents/process-document.job.ts'
import { checkFileJob } from './modules/files/check-file.job.ts'
import { erasureConsumers } from './modules/files/erasure.consumers.ts'
import { filesConsumers } from './modules/files/files.consumers.ts'
import { sweepFiles } from './modules/files/sweep.ts'
import { VirusScanner } from './modules/files/virus-scanner.ts'
import { JobMetrics } from './modules/jobs/job-metrics.ts'
import { JobWorker } from './modules/jobs/job-worker.ts'
import { createAnalysisClient } from './modules/practice/analysis-client.ts'
import { analyzeTakeJob } from './modules/practice/analyze-take.job.ts'
import { openStores } from './stores.ts'

const OVERDUE_MS = 1_000
const PURGE_MS = 10 * 60_000

/** Wires the worker: jobs, event handlers for file uses, clean-up. Its port serves health and metrics only. */
export async function buildMediaWorker(config: Config, options: BuildOptions = {}): Promise<Service> {
  const service = await buildService({
    name: 'media-worker',
    title: 'Media Worker',
    description: 'Jobs of media-service.',
    config,
    acceptsUserTokens: false,
    ...options,
  })
  const stores = openStores(service, config)
  const { files, fileUses, fileRemoval, documents, documentQueries, objects } = stores
  const { mysql, outbox, jobs, takes } = stores
  const scanner = config.CLAMD_ADDRESS ? new VirusScanner(config.CLAMD_ADDRESS) : undefined
  const worker = new JobWorker({
    id: `${hostname()}-${process.pid}-${crypto.randomUUID().slice(0, 8)}`,
    jobs,
    handlers: {
      check_file: checkFileJob({ files, objects, scanner, ffmpegPath: config.FFMPEG_PATH }),
      process_document: processDocumentJob({ files, documents, documentQueries, objects, scanner }),
      analyze_take: analyzeTakeJob({
        takes,
        objects,
        analysis: createAnalysisClient({ url: config.ANALYSIS_URL, secret: config.ANALYSIS_SECRETS[0]! }),
        deadlineSeconds: config.ANALYSIS_DEADLINE_SECONDS,
      }),
    },
    metrics: new JobMetrics(service.metrics),
    log: service.log,
    slots: config.WORKER_SLOTS,
    pollMs: config.JOB_POLL_MS,
    heartbeatMs: config.JOB_HEARTBEAT_MS,
    onFinished: () => outbox.wake(),
  })
  service.onStart(() => worker.start())
  service.lifecycle.onStop('consumers', 'jobs', () => worker.stop())
  service.subscribe('files', filesConsumers({ mysql, fileUses }))
  service.subscribe(
    'deletions',
    erasureConsumers({ mysql, fileRemoval, takes, publisher: service.messaging.publisher }),
  )
  service.every({
    name: 'sweep files',
    everyMs: config.SWEEP_MS,
    run: () => sweepFiles(stores),
  })
  service.every({
    name: 'overdue analyses',
    everyMs: OVERDUE_MS,
    run: async () => {
      while ((await stores.takeReports.expire()) > 0);
    },
  })
  service.every({ name: 'purge jobs', everyMs: PURGE_MS, run: () => jobs.purge() })
  service.every({ name: 'purge inbox', everyMs: PURGE_MS, run: () => purgeInbox(mysql.client) })
  return service
}
