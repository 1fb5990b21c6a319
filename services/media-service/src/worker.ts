import { loadConfig, runService } from '@bigtech/service-kit'
import { configSchema } from './config.ts'
import { buildMediaWorker } from './worker-app.ts'

await runService('media-worker', () => buildMediaWorker(loadConfig(configSchema)))
