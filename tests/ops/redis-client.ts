// Runs Redis commands as a service would, one JSON line each: the result or the error.
// usage: redis-client.ts URL COMMAND [ARGUMENT ...]
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(import.meta.dirname, '../../packages/service-kit/package.json'))
const { Redis } = require('ioredis') as typeof import('ioredis')
const [url = '', command = '', ...args] = process.argv.slice(2)
const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null, connectTimeout: 5_000 })
let cause = ''
redis.on('error', (error) => {
  cause = error.message
})
try {
  console.log(await redis.call(command, ...args))
} catch (error) {
  console.log(`ERROR ${cause} ${(error as Error).message}`)
} finally {
  redis.disconnect()
}
