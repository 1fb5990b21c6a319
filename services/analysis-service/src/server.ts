import { exitOnSignals, loadConfig, readPositionals } from '@bigtech/service-kit'
import { buildAnalysisService } from './app.ts'
import { configSchema } from './config.ts'

readPositionals(
  'Usage: node src/server.ts\nStarts analysis-service; configured by environment variables (docs/configuration.md).',
)
try {
  const service = await buildAnalysisService(loadConfig(configSchema))
  exitOnSignals(service.lifecycle, service.log)
  await service.start()
} catch (err) {
  process.stderr.write(
    `${(err as Error).name === 'ConfigError' ? (err as Error).message : (err as Error).stack}\n`,
  )
  process.exit(1)
}
