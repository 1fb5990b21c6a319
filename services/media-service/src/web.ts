import { loadConfig, runService } from '@bigtech/service-kit'
import { buildMediaService } from './app.ts'
import { configSchema } from './config.ts'

await runService('media-service', () => buildMediaService(loadConfig(configSchema)))
