import { loadConfig, runService } from '@bigtech/service-kit'
import { buildAnalyticsService } from './app.ts'
import { configSchema } from './config.ts'

await runService('analytics-service', () => buildAnalyticsService(loadConfig(configSchema)))
