import { Redis } from 'ioredis'
import { testServers } from './servers.ts'

const DATABASES = 16
const LEASE_SECONDS = 900

export interface TestRedis {
  readonly url: string
  release(): Promise<void>
}

/** Leases one of the server's 15 spare databases exclusively and empties it. */
export async function createTestRedis(): Promise<TestRedis> {
  const { host, port } = testServers().redis
  const leases = new Redis({ host, port, db: 0 })
  for (let db = 1; db < DATABASES; db++) {
    const key = `testkit:lease:${db}`
    if ((await leases.set(key, '1', 'EX', LEASE_SECONDS, 'NX')) !== 'OK') continue
    await leases.multi().select(db).flushdb().select(0).exec()
    return {
      url: `redis://${host}:${port}/${db}`,
      release: async () => {
        await leases.multi().select(db).flushdb().select(0).del(key).exec()
        leases.disconnect()
      },
    }
  }
  leases.disconnect()
  throw new Error(
    `All ${DATABASES - 1} test databases of Redis are leased; a lease ends after ${LEASE_SECONDS} s.`,
  )
}
