import { ConfigError, exitOnSignals, loadConfig } from '@bigtech/service-kit'
import { buildNotificationService } from './app.ts'
import { configSchema } from './config.ts'

try {
  const service = await buildNotificationService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  process.stderr.write(`${err instanceof ConfigError ? err.message : (err as Error).stack}\n`)
  process.exit(1)
}
