import { uuidv7 } from '@bigtech/contracts'
import type { Mysql, Transaction } from '../../infrastructure/mysql.ts'
import { recordActivity } from '../activity/activity-log.ts'
import type { PasskeyKey } from './passkey.ts'

export type PasskeyRepository = ReturnType<typeof createPasskeyRepository>

export interface Passkey extends PasskeyKey {
  readonly id: string
  readonly userId: number
  readonly name: string
  readonly createdAt: Date
  readonly lastUsedAt: Date | null
}

export const MAX_PASSKEYS = 20

/** Creates the repository of passkeys: public keys only, so nothing in it is secret. */
export function createPasskeyRepository(mysql: Mysql) {
  return {
    list: (userId: number) =>
      mysql.run('listPasskeys', async (db): Promise<Passkey[]> => {
        const rows = await db.passkey.findMany({
          where: { userId },
          orderBy: { createdAt: 'asc' },
          take: MAX_PASSKEYS,
        })
        return rows.map(toPasskey)
      }),

    count: (userId: number) => mysql.run('countPasskeys', (db) => db.passkey.count({ where: { userId } })),

    findByCredential: (credentialId: Uint8Array<ArrayBuffer>) =>
      mysql.run('findPasskey', async (db): Promise<Passkey | null> => {
        const row = await db.passkey.findUnique({ where: { credentialId } })
        return row && toPasskey(row)
      }),

    /** Adds a passkey; 'taken' when it is already registered. */
    add: (userId: number, name: string, key: PasskeyKey, now: Date) =>
      mysql.transaction('addPasskey', async (tx): Promise<Passkey | 'taken' | 'full'> => {
        // Raw: Prisma has no FOR UPDATE. Concurrent additions must not exceed the limit.
        await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR UPDATE`
        const { credentialId } = key
        if (await tx.passkey.findUnique({ where: { credentialId }, select: { id: true } })) return 'taken'
        if ((await tx.passkey.count({ where: { userId } })) >= MAX_PASSKEYS) return 'full'
        const row = await tx.passkey.create({
          data: {
            ...{ id: uuidv7(), userId, name, credentialId, createdAt: now },
            publicKey: key.publicKey,
            counter: key.counter,
            transports: key.transports.join(',').slice(0, 100),
          },
        })
        await recordActivity(tx, { userId, type: 'passkey_added', data: { passkey_id: row.id } })
        return toPasskey(row)
      }),

    remove: (userId: number, id: string) =>
      mysql.transaction('removePasskey', async (tx): Promise<boolean> => {
        const { count } = await tx.passkey.deleteMany({ where: { id, userId } })
        if (count === 0) return false
        await recordActivity(tx, { userId, type: 'passkey_removed', data: { passkey_id: id } })
        return true
      }),

    /**
     * Records a use in the transaction of the sign-in. Returns false when the passkey has been removed, or when a
     * concurrent sign-in has used this counter: two authenticators have the key. Those without a counter always send 0.
     */
    async noteUse(tx: Transaction, id: string, counter: number, now: Date): Promise<boolean> {
      const { count } = await tx.passkey.updateMany({
        where: { id, ...(counter > 0 ? { counter: { lt: counter } } : {}) },
        data: { counter, lastUsedAt: now },
      })
      return count === 1
    },
  }
}

function toPasskey(row: Omit<Passkey, 'transports'> & { transports: string }): Passkey {
  return { ...row, transports: row.transports === '' ? [] : row.transports.split(',') }
}
