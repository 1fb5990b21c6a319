import { createLogger, readPositionals } from '@bigtech/service-kit'
import { buildAdmin } from './admin.ts'
import { buildGateway } from './app.ts'
import { readConfig } from './config.ts'
import { loadKongFile } from './kong/load.ts'

async function main(): Promise<void> {
  const config = readConfig()
  const document = loadKongFile(config.KONG_CONFIG)
  const log = createLogger({ service: 'gateway', level: config.LOG_LEVEL })
  const { app, registry } = await buildGateway(document, config, log)
  const admin = buildAdmin(registry, config.HOST)
  await admin.listen({ host: config.HOST, port: config.ADMIN_PORT ?? config.PORT + 1 })
  await app.listen({ host: config.HOST, port: config.PORT })

  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'stopping: streams end first, then running requests')
    await app.close()
    await admin.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
}

readPositionals(
  'Usage: node src/server.ts\nStarts the gateway; configured by environment variables (README.md).',
)
main().catch((error: Error) => {
  // The message explains a wrong kong.yml or variable; a stack would only hide it.
  const known = error.name === 'KongConfigError' || error.name === 'ConfigError'
  console.error(known ? error.message : error)
  process.exit(1)
})
