import { readFileSync } from 'node:fs'
import { z } from 'zod'

const serversFile = z.object({
  mysql: z.object({ host: z.string(), port: z.int(), user: z.string(), password: z.string() }),
  redis: z.object({ host: z.string(), port: z.int() }),
  mongo: z.object({
    url: z.string(),
    /** Only of the MongoDB-compatible server. */
    command: z.array(z.string()).min(1).optional(),
  }),
  kafka: z.object({ brokers: z.array(z.string()).min(1) }),
  audio: z.object({ ffmpeg: z.string(), espeak: z.string() }).optional(),
  s3: z.object({ url: z.string(), accessKey: z.string(), secretKey: z.string() }).optional(),
})
export type TestServers = z.infer<typeof serversFile>

/**
 * Returns the real servers for tests, from the file named by `BIGTECH_SERVERS_FILE`.
 * @throws Error with instructions for starting them
 */
export function testServers(): TestServers {
  const file = process.env.BIGTECH_SERVERS_FILE
  if (!file) {
    throw new Error(
      'BIGTECH_SERVERS_FILE is not set, and there is no Docker engine to start the servers. `npm test` starts them; for single tests see packages/dev/devstack/README.md.',
    )
  }
  return serversFile.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** Returns a short random name that is valid everywhere: database, topic prefix, user. */
export function uniqueName(prefix = 't'): string {
  return `${prefix}${crypto.randomUUID().replaceAll('-', '').slice(0, 10)}`
}
