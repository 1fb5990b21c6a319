import { createHash } from 'node:crypto'
import { uuidv7 } from '@bigtech/contracts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

export interface Subscription {
  readonly id: string
  readonly userId: number
  readonly endpoint: string
  readonly p256dh: string
  readonly auth: string
  readonly deviceName: string | null
  readonly createdAt: Date
}

export interface NewSubscription extends Omit<Subscription, 'id' | 'createdAt'> {
  readonly sessionId: string
}

interface Row extends Omit<Subscription, 'userId'> {
  readonly userId: bigint
}

const MAX_SUBSCRIPTIONS = 20

/** The subscribed browsers. */
export class SubscriptionsRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Stores a subscription. An endpoint is one browser and belongs to its last signed-in user. */
  async put(subscription: NewSubscription): Promise<Subscription> {
    const { userId, sessionId, endpoint, p256dh, auth, deviceName } = subscription
    const endpointHash = createHash('sha256').update(endpoint).digest('hex')
    return this.#mysql.transaction('put', async (tx) => {
      const row = await tx.pushSubscription.upsert({
        where: { endpointHash },
        create: {
          id: uuidv7(),
          userId,
          sessionId,
          endpointHash,
          endpoint,
          p256dh,
          auth,
          deviceName,
          createdAt: new Date(),
        },
        update: { userId, sessionId, p256dh, auth, deviceName },
      })
      const surplus = await tx.pushSubscription.findMany({
        where: { userId },
        orderBy: { id: 'desc' },
        skip: MAX_SUBSCRIPTIONS,
        select: { id: true },
      })
      const ids = surplus.map(({ id }) => id).filter((id) => id !== row.id)
      if (ids.length > 0) await tx.pushSubscription.deleteMany({ where: { id: { in: ids } } })
      return { ...row, userId: Number(row.userId) }
    })
  }

  /** Returns subscriptions newest first. */
  async list(userId: number): Promise<Subscription[]> {
    const rows = await this.#mysql.run('list', (db) =>
      db.pushSubscription.findMany({
        where: { userId },
        orderBy: { id: 'desc' },
        take: MAX_SUBSCRIPTIONS + 1,
      }),
    )
    return rows.map((row) => ({ ...row, userId: Number(row.userId) }))
  }

  /** Returns the subscriptions of several users, newest first. */
  async listMany(userIds: readonly number[]): Promise<Map<number, Subscription[]>> {
    if (userIds.length === 0) return new Map()
    const rows = await this.#mysql.read<Row>(
      'listMany',
      Prisma.sql`SELECT id, user_id AS userId, endpoint, p256dh, auth, device_name AS deviceName, created_at AS createdAt
        FROM push_subscriptions WHERE user_id IN (${Prisma.join(userIds)}) ORDER BY id DESC`,
    )
    const subscriptions = rows.map((row) => ({ ...row, userId: Number(row.userId) }))
    return Map.groupBy(subscriptions, ({ userId }) => userId)
  }

  /** Removes a subscription. Returns whether the user had it. */
  async remove(userId: number, id: string): Promise<boolean> {
    const { count } = await this.#mysql.run('remove', (db) =>
      db.pushSubscription.deleteMany({ where: { id, userId } }),
    )
    return count > 0
  }

  async removeOfSessions(sessionIds: readonly string[]): Promise<void> {
    await this.#mysql.run('removeOfSessions', (db) =>
      db.pushSubscription.deleteMany({ where: { sessionId: { in: [...sessionIds] } } }),
    )
  }

  async erase(tx: Tx, userId: number): Promise<void> {
    await tx.pushSubscription.deleteMany({ where: { userId } })
  }
}
