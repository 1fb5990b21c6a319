import { loadConfig, runService } from '@bigtech/service-kit'
import { buildNotificationService } from './app.ts'
import { configSchema } from './config.ts'

await runService('notification-service', () => buildNotificationService(loadConfig(configSchema)))
