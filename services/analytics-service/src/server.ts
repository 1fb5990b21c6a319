import { ConfigError, exitOnSignals, loadConfig } from '@bigtech/service-kit'
import { buildAnalyticsService } from './app.ts'
import { configSchema } from './config.ts'

try {
  const service = await buildAnalyticsService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  process.stderr.write(`${err instanceof ConfigError ? err.message : (err as Error).stack}\n`)
  process.exit(1)
}
