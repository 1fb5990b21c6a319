import { loadConfig, runService } from '@bigtech/service-kit'
import { buildFriendService } from './app.ts'
import { configSchema } from './config.ts'

await runService('friend-service', () => buildFriendService(loadConfig(configSchema)))
