import { loadConfig, runService } from '@bigtech/service-kit'
import { buildUserService } from './app.ts'
import { configSchema } from './config.ts'

await runService('user-service', () => buildUserService(loadConfig(configSchema)))
