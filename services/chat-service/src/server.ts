import { ConfigError, exitOnSignals, loadConfig } from '@bigtech/service-kit'
import { buildChatService } from './app.ts'
import { configSchema } from './config.ts'

try {
  const service = await buildChatService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  if (!(err instanceof ConfigError)) throw err
  process.stderr.write(`${err.message}\n`)
  process.exitCode = 1
}
