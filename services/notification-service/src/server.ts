import { ConfigError, exitOnSignals, loadConfig, readPositionals } from '@bigtech/service-kit'
import { buildNotificationService } from './app.ts'
import { configSchema } from './config.ts'

readPositionals(
  'Usage: node src/server.ts\nStarts notification-service; every setting is an environment variable (docs/configuration.md).',
)

try {
  const service = await buildNotificationService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  process.stderr.write(`${err instanceof ConfigError ? err.message : (err as Error).stack}\n`)
  process.exit(1)
}
