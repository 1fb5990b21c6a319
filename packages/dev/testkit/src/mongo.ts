import mongoose from 'mongoose'
import { testServers, uniqueName } from './servers.ts'

export interface TestMongo {
  readonly url: string
  drop(): Promise<void>
}

/** Creates a separate database on the shared server. */
export function createTestMongo(): TestMongo {
  const url = new URL(testServers().mongo.url)
  url.pathname = `/${uniqueName('t_')}`
  return {
    url: url.toString(),
    drop: async () => {
      const connection = await mongoose.createConnection(url.toString()).asPromise()
      await connection.dropDatabase()
      await connection.close()
    },
  }
}
