import { MySqlSession, type SqlExecutor } from '@bigtech/stores'
import { Redis } from 'ioredis'
import { type FlushStep, flushLastSeen } from '../src/modules/presence/last-seen-buffer.ts'

/** A process that flushes last signs of life until it kills itself, for tests. */
interface Settings {
  readonly redisUrl: string
  readonly databaseUrl: string
  /** SIGKILL after this step of a flush. */
  readonly dieAt: FlushStep
}

const { redisUrl, databaseUrl, dieAt } = JSON.parse(process.argv[2] ?? '{}') as Settings
const redis = new Redis(redisUrl)
const session = new MySqlSession(databaseUrl)

async function inTransaction<Result>(work: (tx: SqlExecutor) => Promise<Result>): Promise<Result> {
  await session.query('START TRANSACTION')
  const result = await work({ query: (sql, values) => session.query(sql, values) })
  await session.query('COMMIT')
  return result
}

const flush = () =>
  flushLastSeen(redis, { $transaction: inTransaction as never }, (step) => {
    if (step === dieAt) process.kill(process.pid, 'SIGKILL')
  })

for (;;) {
  // A store that is slow for a moment is asked again, as by the service.
  await flush().catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 5))
}
