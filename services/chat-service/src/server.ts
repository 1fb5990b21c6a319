import { ConfigError, exitOnSignals, loadConfig, readPositionals } from '@bigtech/service-kit'
import { buildChatService } from './app.ts'
import { configSchema } from './config.ts'

readPositionals(
  'Usage: node src/server.ts\nStarts chat-service; every setting is an environment variable (docs/configuration.md).',
)

try {
  const service = await buildChatService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  if (!(err instanceof ConfigError)) throw err
  process.stderr.write(`${err.message}\n`)
  process.exitCode = 1
}
