import { buildService, openServiceClient, type Service, type ServiceOptions } from '@bigtech/service-kit'
import type { Config } from './config.ts'
import { looksLike } from './extract/check-file.ts'
import { FileService } from './modules/files/file.service.ts'
import { filesRoutes } from './modules/files/files.routes.ts'
import { findMessageIn } from './modules/files/message-finder.ts'
import { UploadService } from './modules/files/upload.service.ts'
import { openStores, type Stores } from './stores.ts'

export type BuildOptions = Pick<ServiceOptions, 'keys' | 'logDestination'>

/** A 50 MB upload over a slow line takes minutes; that it makes progress is watched by the upload itself. */
const LONGEST_UPLOAD_MS = 15 * 60_000

/** The service, and the stores that tests look into. */
export interface MediaService extends Service {
  readonly stores: Stores
}

/** Wires the web side: takes files in and hands them out. It parses none, so hostile files never meet it. */
export async function buildMediaService(config: Config, options: BuildOptions = {}): Promise<MediaService> {
  const service = await buildService({
    name: 'media-service',
    title: 'Media Service',
    description: 'Files of chats and pictures of profiles.',
    config,
    requestTimeoutMs: LONGEST_UPLOAD_MS,
    ...options,
  })
  const stores = openStores(service, config)
  const { files, objects } = stores
  const chat = openServiceClient(service, { service: 'chat-service', baseUrl: config.CHAT_SERVICE_URL })

  await service.app.register(filesRoutes, {
    files: new FileService({ files, findMessage: findMessageIn(chat), quotaBytes: config.QUOTA_BYTES }),
    uploads: new UploadService({
      files,
      store: objects,
      looksLike,
      quotaBytes: config.QUOTA_BYTES,
      unusedFileHours: config.UNUSED_FILE_HOURS,
      idleMs: config.UPLOAD_IDLE_MS,
    }),
    store: objects,
  })
  return { ...service, stores }
}
