import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * vitest's global setup of integration tests. Without `BIGTECH_SERVERS_FILE` (an IDE, a bare `npx vitest`)
 * starts the servers as containers and writes the same file as the native servers. Without Docker it does
 * nothing, and each test explains how to start the servers.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.BIGTECH_SERVERS_FILE) return undefined
  // Loaded lazily, because `npm test` already has servers.
  const { hasDocker, startContainers } = await import('./containers.ts')
  if (!(await hasDocker())) return undefined
  const { servers, stop } = await startContainers()
  const folder = mkdtempSync(join(tmpdir(), 'bigtech-servers-'))
  const file = join(folder, 'servers.json')
  writeFileSync(file, JSON.stringify(servers), { mode: 0o600 })
  process.env.BIGTECH_SERVERS_FILE = file
  return async () => {
    rmSync(folder, { recursive: true })
    await stop()
  }
}
