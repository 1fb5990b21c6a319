import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { OutgoingMessage } from './outgoing-message.ts'

interface Schema extends DBSchema {
  outbox: { key: string; value: OutgoingMessage; indexes: { by_user: number } }
}

let opened: Promise<IDBPDatabase<Schema>> | undefined

/** Returns the IndexedDB store of unsent messages. */
export function db(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('bigtech-chat', 1, {
    upgrade: (database) => {
      const outbox = database.createObjectStore('outbox', { keyPath: 'clientMessageId' })
      outbox.createIndex('by_user', 'userId')
    },
  })
  return opened
}
