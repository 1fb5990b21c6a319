import { ConfigError, exitOnSignals, loadConfig } from '@bigtech/service-kit'
import { buildUserService } from './app.ts'
import { configSchema } from './config.ts'

try {
  const service = await buildUserService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  console.error(err instanceof ConfigError ? err.message : err)
  process.exit(1)
}
