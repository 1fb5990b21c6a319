import { type EventOf, messageSent } from '@bigtech/contracts'
import { execute, type HotTransaction, type SqlExecutor } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

export type MessageSent = EventOf<typeof messageSent>

export interface WaitingMessage {
  readonly event: MessageSent
  readonly createdAt: Date
}

const RETRY_MS = [300, 1_000, 3_000, 10_000, 30_000]

/** Messages that arrived before their room's events, which are on another topic. */
export class WaitingMessagesRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async add(tx: HotTransaction, event: MessageSent, now: number): Promise<void> {
    const due = new Date(now + RETRY_MS[0]!)
    await tx.write(Prisma.sql`
      INSERT IGNORE INTO waiting_messages (event_id, room_id, event, due_at, created_at)
      VALUES (${event.event_id}, ${event.room_id}, ${JSON.stringify(event)}, ${due}, ${new Date(now)})`)
  }

  /** Returns the time until the next message is due, 0 or less when one is, infinite when none waits. */
  async dueInMs(now: number): Promise<number> {
    const [next] = await this.#mysql.read<{ dueAt: Date }>(
      'nextWaitingMessage',
      Prisma.sql`SELECT due_at AS dueAt FROM waiting_messages ORDER BY due_at LIMIT 1`,
    )
    return next ? next.dueAt.getTime() - now : Number.POSITIVE_INFINITY
  }

  async due(now: number, limit: number): Promise<WaitingMessage[]> {
    const rows = await this.#mysql.read<{ event: string; createdAt: Date }>(
      'dueWaitingMessages',
      Prisma.sql`SELECT event, created_at AS createdAt FROM waiting_messages
        WHERE due_at <= ${new Date(now)} ORDER BY due_at LIMIT ${limit}`,
    )
    return rows.map((row) => ({
      event: messageSent.parse(JSON.parse(row.event)),
      createdAt: row.createdAt,
    }))
  }

  /** Removes a message. Returns whether it existed: exactly one of two processes gets it. */
  async take(tx: SqlExecutor, eventId: string): Promise<boolean> {
    return (await execute(tx, 'DELETE FROM waiting_messages WHERE event_id = ?', [eventId])) === 1
  }

  /** Removes a deleted message. Raw: queries JSON. */
  async withdraw(tx: Tx, roomId: number, messageId: string): Promise<void> {
    await tx.$executeRaw`
      DELETE FROM waiting_messages WHERE room_id = ${roomId} AND JSON_VALUE(event, '$.message_id') = ${messageId}`
  }

  /** Removes messages of a deleted user. Only few messages wait, so all may be scanned. Raw: queries JSON. */
  async erase(tx: Tx, userId: number): Promise<void> {
    await tx.$executeRaw`DELETE FROM waiting_messages WHERE JSON_VALUE(event, '$.user_id') = ${userId}`
  }

  /** Postpones a message. Raw: the delay depends on the row's own count. */
  async putOff(eventId: string, now: number): Promise<void> {
    const [first, second, third, fourth, last] = RETRY_MS.map((ms) => new Date(now + ms))
    await this.#mysql.client.$executeRaw`
      UPDATE waiting_messages SET attempts = attempts + 1,
        due_at = CASE attempts WHEN 1 THEN ${first} WHEN 2 THEN ${second} WHEN 3 THEN ${third}
          WHEN 4 THEN ${fourth} ELSE ${last} END
      WHERE event_id = ${eventId}`
  }

  async count(): Promise<number> {
    return this.#mysql.client.waitingMessage.count()
  }
}
