import { readFileSync } from 'node:fs'
import { z } from 'zod'

const serversFile = z.object({
  mysql: z.object({ host: z.string(), port: z.int(), user: z.string(), password: z.string() }),
  redis: z.object({ host: z.string(), port: z.int() }),
  mongo: z.object({ url: z.string() }),
  kafka: z.object({ brokers: z.array(z.string()).min(1) }),
  audio: z.object({ ffmpeg: z.string(), espeak: z.string() }).optional(),
  s3: z.object({ url: z.string(), accessKey: z.string(), secretKey: z.string() }).optional(),
})
export type TestServers = z.infer<typeof serversFile>

/**
 * The real servers that tests run against, from the file that `BIGTECH_SERVERS_FILE` names.
 * @throws Error that says how to start them.
 */
export function testServers(): TestServers {
  const file = process.env.BIGTECH_SERVERS_FILE
  if (!file) {
    throw new Error(
      'BIGTECH_SERVERS_FILE is not set, and no Docker engine answers to start the servers. `npm test` starts them; for single tests see packages/dev/devstack/README.md.',
    )
  }
  return serversFile.parse(JSON.parse(readFileSync(file, 'utf8')))
}

/** A short random name that is valid everywhere: database, topic prefix, user. */
export function uniqueName(prefix = 't'): string {
  return `${prefix}${crypto.randomUUID().replaceAll('-', '').slice(0, 10)}`
}
