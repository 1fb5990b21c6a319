import { loadConfig, readPositionals } from '@bigtech/service-kit'
import { StoreMetrics } from '@bigtech/stores'
import mongoose from 'mongoose'
import { Registry } from 'prom-client'
import { configSchema } from './config.ts'
import { MongoStore } from './infrastructure/mongo-store.ts'
import { rebuildSearch } from './modules/messages/search/search.module.ts'

const usage = `Usage: MONGO_URL=... [OPENSEARCH_URL=...] node src/rebuild-search.ts
Indexes all messages anew for the search, while the service runs; searches go on meanwhile.`

readPositionals(usage)
const config = loadConfig(
  configSchema.pick({ MONGO_URL: true, OPENSEARCH_URL: true, OPENSEARCH_INDEX: true }),
)
const connection = await mongoose.createConnection(config.MONGO_URL).asPromise()
try {
  let indexed = 0
  const metrics = new Registry()
  await rebuildSearch({
    store: new MongoStore(connection, new StoreMetrics(metrics)),
    config,
    metrics,
    onPage: (messages) => {
      indexed += messages
      if (indexed % 50_000 < messages) console.log(`${indexed} messages`)
    },
  })
  console.log(`Done: ${indexed} messages.`)
} finally {
  await connection.close()
}
