import { loadConfig, type OpenOperations, untilReachable } from '@bigtech/service-kit'
import mongoose from 'mongoose'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { configSchema } from './config.ts'
import { createMysql } from './infrastructure/mysql.ts'
import { contactCopies } from './modules/contacts/contacts.copies.ts'
import { checkPublished } from './modules/messages/publishing/published-check.repository.ts'
import { checkUnread, headsOf } from './modules/messages/reading/unread-check.repository.ts'
import { checkRoomFigures } from './modules/rooms/room-figures.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** Entries stored more recently may be in flight to Kafka. */
const ON_ITS_WAY_MS = 60_000

const storeSchema = z.object({
  DATABASE_URL: configSchema.shape.DATABASE_URL,
  MONGO_URL: configSchema.shape.MONGO_URL,
})

/** Opens the operators' operations of chat-service. */
export const openOperations: OpenOperations = async (env) => {
  const { DATABASE_URL, MONGO_URL } = loadConfig(storeSchema, env)
  const mysql = createMysql(DATABASE_URL, new Registry())
  await untilReachable(() => mysql.ping())
  const mongo = mongoose.createConnection(MONGO_URL, { serverSelectionTimeoutMS: CONNECT_TIMEOUT_MS })
  const database = async () => (await mongo.asPromise()).db!
  return {
    copies: contactCopies(mysql),
    verify: async ({ fix }) => {
      const db = await database()
      const unread = await checkUnread(db, { fix })
      const unpublished = await checkPublished(db, { fix, graceMs: ON_ITS_WAY_MS })
      const figures = await checkRoomFigures(mysql, (roomIds) => headsOf(db, roomIds), { fix })
      const positions = unread.map(({ roomId, userId, stored, expected }) => ({
        subject: `room ${roomId}, user ${userId}`,
        detail: `has read up to ${stored}, not ${expected}`,
        isFixed: fix,
      }))
      const logs = unpublished.map(({ roomId, log, published, head }) => ({
        subject: `room ${roomId}, ${log}`,
        detail: `is published up to ${published} of ${head}`,
        isFixed: fix,
      }))
      return [...positions, ...logs, ...figures]
    },
    backlog: async () => {
      const logs = await checkPublished(await database(), { fix: false })
      const oldest = Math.min(Date.now(), ...logs.map(({ since }) => since.getTime()))
      return {
        waiting: logs.reduce((sum, { head, published }) => sum + Math.max(0, head - published), 0),
        oldestSeconds: Math.round((Date.now() - oldest) / 1_000),
      }
    },
    close: async () => {
      await mongo.close()
      await mysql.close()
    },
  }
}
