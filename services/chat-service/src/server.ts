import { loadConfig, runService } from '@bigtech/service-kit'
import { buildChatService } from './app.ts'
import { configSchema } from './config.ts'

await runService('chat-service', () => buildChatService(loadConfig(configSchema)))
