import type { Service } from '@bigtech/service-kit'
import mongoose, { type Connection } from 'mongoose'

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

/** Connects in the background: MongoDB need not be up yet. */
export function openMongo(service: Service, url: string): Connection {
  const connection = mongoose.createConnection()
  let closing = false
  let timer: NodeJS.Timeout | undefined
  const connect = async () => {
    try {
      // Passes a copy, because Mongoose removes its own options from the object.
      await connection.openUri(url, { ...mongoOptions })
      if (closing) await connection.close()
    } catch (err) {
      if (closing) return
      service.log.warn({ err }, 'MongoDB unreachable, retrying')
      timer = setTimeout(() => void connect(), RETRY_MS)
    }
  }
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
