import { ConfigError, exitOnSignals, loadConfig, readPositionals } from '@bigtech/service-kit'
import { buildUserService } from './app.ts'
import { configSchema } from './config.ts'

readPositionals(
  'Usage: node src/server.ts\nStarts user-service; every setting is an environment variable (docs/configuration.md).',
)

try {
  const service = await buildUserService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  console.error(err instanceof ConfigError ? err.message : err)
  process.exit(1)
}
