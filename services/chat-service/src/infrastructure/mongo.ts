import type { Service } from '@bigtech/service-kit'
import mongoose, { type Connection } from 'mongoose'
import { patchConnectionPool } from './mongo-pool-patch.ts'

patchConnectionPool()

const RETRY_MS = 1_000

/**
 * Connection options. `sanitizeFilter` compares an operator in a model's filter as a value unless our code
 * marks it as trusted.
 */
export const mongoOptions = {
  // Keeps the 503 response within 2 s.
  serverSelectionTimeoutMS: 1_500,
  connectTimeoutMS: 1_500,
  socketTimeoutMS: 10_000,
  maxPoolSize: 32,
  bufferCommands: false,
  autoIndex: false,
  autoCreate: false,
  sanitizeFilter: true,
  writeConcern: { w: 'majority' as const, journal: true },
}

/** Longer than any outage that the driver is known to notice the end of. */
const REPLACE_AFTER_MS = 10_000

/**
 * Connects in the background: MongoDB need not be up yet.
 *
 * @param replaceAfterMs when a connection that was lost for this long is replaced: rarely, on a busy machine, a check of the
 * driver's server monitor never ends (mongodb 7.8.0), and the driver then finds no server until the process ends
 */
export function openMongo(service: Service, url: string, replaceAfterMs = REPLACE_AFTER_MS): Connection {
  const connection = mongoose.createConnection()
  let closing = false
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  const connect = async () => {
    try {
      // Passes a copy, because Mongoose removes its own options from the object.
      await connection.openUri(url, { ...mongoOptions })
      failures = 0
      if (closing) await connection.close()
    } catch (err) {
      if (closing) return
      if (failures++ === 0) service.log.warn({ err }, 'MongoDB unreachable, retrying')
      clearTimeout(timer)
      timer = setTimeout(() => void connect(), RETRY_MS)
    }
  }
  const replace = async () => {
    service.log.warn('MongoDB lost, connecting again')
    // Not by force: Mongoose's collections would remain closed.
    await connection.close().catch(() => undefined)
    await connect()
  }
  connection.on('disconnected', () => {
    clearTimeout(timer)
    if (!closing) timer = setTimeout(() => void replace(), replaceAfterMs)
  })
  connection.on('connected', () => clearTimeout(timer))
  void connect()
  connection.on('error', (err: unknown) => service.log.warn({ err }, 'MongoDB connection'))
  service.readiness.add({
    name: 'mongodb',
    ping: async () => {
      if (!connection.db) throw new Error('not connected')
      // Unlike `ping`, a read is rejected without an account, or with one that has no rights on this database.
      await connection.db.collection('messages').findOne({ _id: '' as never }, { projection: { _id: 1 } })
    },
  })
  service.lifecycle.onStop('stores', 'mongodb', async () => {
    closing = true
    clearTimeout(timer)
    await connection.close()
  })
  return connection
}
