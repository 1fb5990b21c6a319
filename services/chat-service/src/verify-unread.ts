import { loadConfig, runCommand } from '@bigtech/service-kit'
import mongoose from 'mongoose'
import { configSchema } from './config.ts'
import { checkUnread } from './modules/messages/reading/unread-check.repository.ts'

const usage = `Usage: node src/verify-unread.ts [--fix]
Recounts what unread figures are made of, and says what differs.

  --fix   repairs what differs

Environment: MONGO_URL
Exit code: 0 nothing differs, or all of it was repaired; 1 something differs.`

async function verifyUnread(fix: boolean): Promise<number> {
  const { MONGO_URL } = loadConfig(configSchema.pick({ MONGO_URL: true }))
  const connection = await mongoose
    .createConnection(MONGO_URL, { serverSelectionTimeoutMS: 5_000 })
    .asPromise()
  try {
    const findings = await checkUnread(connection.db!, { fix })
    for (const { roomId, userId, stored, expected } of findings) {
      process.stdout.write(`room ${roomId}, user ${userId}: stored ${stored}, expected ${expected}\n`)
    }
    const verdict = findings.length === 0 ? 'nothing differs' : fix ? 'repaired' : 'run with --fix to repair'
    process.stdout.write(`${findings.length} differences; ${verdict}\n`)
    return findings.length > 0 && !fix ? 1 : 0
  } finally {
    await connection.close()
  }
}

await runCommand({
  usage,
  options: { fix: { type: 'boolean' } },
  run: ({ values }) => verifyUnread(values.fix === true),
})
