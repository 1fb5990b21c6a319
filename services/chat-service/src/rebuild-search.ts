import { loadConfig, readPositionals } from '@bigtech/service-kit'
import { StoreMetrics } from '@bigtech/stores'
import mongoose from 'mongoose'
import { Registry } from 'prom-client'
import { configSchema } from './config.ts'
import { MongoStore } from './infrastructure/mongo-store.ts'
import { rebuildSearch } from './modules/messages/search/search.module.ts'

const usage = `Usage: MONGO_URL=... node src/rebuild-search.ts
Indexes all messages anew for the search, while the service runs; searches go on meanwhile.`

readPositionals(usage)
const { MONGO_URL } = loadConfig(configSchema.pick({ MONGO_URL: true }))
const connection = await mongoose.createConnection(MONGO_URL).asPromise()
try {
  let indexed = 0
  await rebuildSearch(new MongoStore(connection, new StoreMetrics(new Registry())), (messages) => {
    indexed += messages
    if (indexed % 50_000 < messages) console.log(`${indexed} messages`)
  })
  console.log(`Done: ${indexed} messages.`)
} finally {
  await connection.close()
}
