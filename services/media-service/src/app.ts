import { buildService, openServiceClient, type Service, type ServiceOptions } from '@bigtech/service-kit'
import type { Config } from './config.ts'
import { looksLike } from './extract/check-file.ts'
import { createDocuments } from './modules/documents/documents.module.ts'
import { documentEffects } from './modules/documents/process-document.job.ts'
import { exportRoutes } from './modules/export/export.routes.ts'
import { checkFileEffects } from './modules/files/check-file.job.ts'
import { FileService } from './modules/files/file.service.ts'
import { filesRoutes } from './modules/files/files.routes.ts'
import { findMessageIn } from './modules/files/message-finder.ts'
import { UploadService, type UploadServiceOptions } from './modules/files/upload.service.ts'
import { registerQueueMetrics } from './modules/jobs/job-metrics.ts'
import { monitorRoutes } from './modules/monitor/monitor.routes.ts'
import { Monitor } from './modules/monitor/monitor.ts'
import { takeEffects } from './modules/practice/analyze-take.job.ts'
import { practiceRoutes } from './modules/practice/practice.routes.ts'
import { PracticeService } from './modules/practice/practice.service.ts'
import { recordingsRoutes } from './modules/practice/recordings.routes.ts'
import { webhookRoutes } from './modules/practice/webhook.routes.ts'
import { openStores, type Stores } from './stores.ts'

export type BuildOptions = Pick<ServiceOptions, 'keys' | 'logDestination'>

/** A 50 MB upload over a slow connection takes minutes; the upload itself detects stalls. */
const LONGEST_UPLOAD_MS = 15 * 60_000

/** The service and its stores, for tests. */
export interface MediaService extends Service {
  readonly stores: Stores
}

/**
 * Wires the web side, which stores and serves files and documents without parsing them: hostile files are
 * parsed by workers only.
 */
export async function buildMediaService(config: Config, options: BuildOptions = {}): Promise<MediaService> {
  const service = await buildService({
    name: 'media-service',
    title: 'Media Service',
    description: 'Files of chats, pictures of profiles, documents, voice practice.',
    config,
    requestTimeoutMs: LONGEST_UPLOAD_MS,
    ...options,
  })
  const stores = openStores(service, config)
  const { files, fileRemoval, objects, jobs } = stores
  const chat = openServiceClient(service, { service: 'chat-service', baseUrl: config.CHAT_SERVICE_URL })

  const findMessage = findMessageIn(chat)
  const fileService = new FileService({ files, fileRemoval, findMessage, quotaBytes: config.QUOTA_BYTES })
  const createUploads = (queue: UploadServiceOptions['queue']) =>
    new UploadService({
      files,
      fileRemoval,
      store: objects,
      looksLike,
      quotaBytes: config.QUOTA_BYTES,
      unusedFileHours: config.UNUSED_FILE_HOURS,
      idleMs: config.UPLOAD_IDLE_MS,
      queue,
    })
  await service.app.register(filesRoutes, {
    files: fileService,
    uploads: createUploads((tx, file, requestId) =>
      jobs.enqueue(tx, { kind: 'check_file', subjectId: file.id, ownerId: file.ownerId, requestId }),
    ),
    store: objects,
  })
  await createDocuments({ service, stores, files: fileService, createUploads, findMessage })
  registerQueueMetrics(service.metrics, jobs)
  await service.app.register(exportRoutes, { stores })
  await service.app.register(monitorRoutes, {
    monitor: new Monitor({
      mysql: stores.mysql,
      jobs,
      effects: {
        check_file: checkFileEffects(files),
        process_document: documentEffects(stores.documents),
        analyze_take: takeEffects(stores.takes),
      },
    }),
    operatorToken: config.OPERATOR_TOKEN,
  })
  await addPractice(service, stores, config)
  return { ...service, stores }
}

/** Wires voice practice: scripts, recordings, and the webhook of the analysis server. */
async function addPractice(service: Service, stores: Stores, config: Config): Promise<void> {
  const { objects, takes, takeReports, scripts } = stores
  const practice = new PracticeService({
    takes,
    takeReports,
    scripts,
    looksLike,
    putStream: (key, body, mime, signal) => objects.putStream(key, body, mime, signal),
    quotaBytes: config.QUOTA_BYTES,
    idleMs: config.UPLOAD_IDLE_MS,
  })
  const stopping = new AbortController()
  service.lifecycle.onStop('streams', 'analysis progress', () => stopping.abort())
  await service.app.register(practiceRoutes, { practice, scripts, takes, objects, stopping: stopping.signal })
  await service.app.register(recordingsRoutes, { practice, takes, objects })
  await service.app.register(webhookRoutes, { practice, secrets: config.ANALYSIS_SECRETS })
}
