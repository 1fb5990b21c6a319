import { readPositionals } from './command.ts'
import { ConfigError } from './config.ts'
import { exitOnSignals } from './lifecycle.ts'
import type { Service } from './service.ts'
import { collectStartupGarbageWhenIdle } from './startup-garbage.ts'

/** By then the consumers have joined their groups, and the first queries have loaded Prisma's query compiler. */
const GARBAGE_AFTER_MS = 9_000

/**
 * Runs a service as the process: builds it, listens, stops gracefully on SIGTERM. An invalid configuration
 * exits with 1 and one line; `--help` prints the usage.
 */
export async function runService(name: string, build: () => Promise<Service>): Promise<void> {
  readPositionals(
    `Usage: node src/server.ts\nStarts ${name}; configured by environment variables (docs/configuration.md).`,
  )
  try {
    const service = await build()
    exitOnSignals(service.lifecycle, service.log)
    await service.start()
    collectStartupGarbageWhenIdle(GARBAGE_AFTER_MS)
  } catch (err) {
    process.stderr.write(`${err instanceof ConfigError ? err.message : (err as Error).stack}\n`)
    process.exit(1)
  }
}
