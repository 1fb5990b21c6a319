import { uuidv7 } from '@bigtech/contracts'
import { type HotTransaction, inBatches } from '@bigtech/stores'
import { Prisma, type Delivery as Row } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import type { Muting } from '../preferences/preferences.ts'
import { STREAM_EXPIRY_MS } from '../streams/streams.ts'
import type { Channel, Delivery, DeliveryKind, DeliveryState, MessageContent } from './delivery.ts'

export interface NewDelivery {
  readonly userId: number
  readonly kind: DeliveryKind
  readonly channel: Channel
  readonly eventId: string
  readonly actorId?: number | null
  readonly linkId?: string
  readonly dueAt: Date
}

/** A push notification for one user; further messages of the room are counted in the same row while it waits. */
export interface NewMessageDelivery {
  readonly userId: number
  readonly roomId: number
  /** The newest message. */
  readonly messageId: string
  readonly eventId: string
  /** Number of messages. */
  readonly eventCount: number
  readonly actorId: number
  readonly mentioned: boolean
  /** The newest message's `MessageContent` as JSON. */
  readonly content: string
  readonly dueAt: Date
}

export interface Recipient extends Muting {
  readonly userId: number
}

export interface Claim {
  readonly leaseId: string
  readonly deliveries: readonly Delivery[]
  /** When nothing was due: the time until the next delivery is, infinite without any. */
  readonly dueInMs: number
}

/** Lease of a claimed delivery, after which the claimer counts as crashed. */
const LEASE_MS = 60_000
const BATCH = 300
const KEEP_DAYS = 30
const PURGE_BATCH = 1_000

export class DeliveriesRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async create(tx: Tx, delivery: NewDelivery): Promise<void> {
    await tx.delivery.create({
      data: { id: uuidv7(), state: 'pending', createdAt: new Date(), ...delivery },
      select: { id: true },
    })
  }

  /**
   * Returns the members of each room without an open stream, by user id. One statement, run for every message or batch of messages.
   */
  async absentMembers(
    tx: HotTransaction,
    roomIds: readonly number[],
    now: number,
  ): Promise<Map<number, Recipient[]>> {
    if (roomIds.length === 0) return new Map()
    const rows = await tx.read<{ room_id: bigint; user_id: bigint; muted: number; muted_until: Date | null }>(
      Prisma.sql`
      SELECT member.room_id, member.user_id, member.muted, member.muted_until FROM room_members AS member
      WHERE member.room_id IN (${Prisma.join(roomIds)}) AND NOT EXISTS (
        SELECT 1 FROM open_streams AS stream WHERE stream.user_id = member.user_id
          AND stream.seen_at > stream.closed_at AND stream.seen_at > ${new Date(now - STREAM_EXPIRY_MS)})
      ORDER BY member.room_id, member.user_id`,
    )
    const absent = new Map<number, Recipient[]>()
    for (const { room_id, user_id, muted, muted_until } of rows) {
      const roomId = Number(room_id)
      const inRoom = absent.get(roomId) ?? []
      inRoom.push({ userId: Number(user_id), muted: muted === 1, mutedUntil: muted_until })
      absent.set(roomId, inRoom)
    }
    return absent
  }

  /** Returns the types of known rooms, including those deleted since. */
  async roomTypes(tx: HotTransaction, roomIds: readonly number[]): Promise<Map<number, string>> {
    if (roomIds.length === 0) return new Map()
    const rows = await tx.read<{ room_id: bigint; room_type: string }>(
      Prisma.sql`SELECT room_id, room_type FROM rooms WHERE room_id IN (${Prisma.join(roomIds)})`,
    )
    return new Map(rows.map((row) => [Number(row.room_id), row.room_type]))
  }

  /** Plans deliveries. One statement for many members, which merges the messages into a waiting push. */
  async addMessages(tx: HotTransaction, deliveries: readonly NewMessageDelivery[]): Promise<void> {
    const createdAt = new Date()
    for (let from = 0; from < deliveries.length; from += BATCH) {
      const batch = deliveries.slice(from, from + BATCH)
      const marks = batch.map(() => "(?, ?, 'message', 'push', 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      await tx.query(
        `INSERT INTO deliveries (id, user_id, kind, channel, state, digest_key, event_id, event_count, actor_id, room_id,
           message_id, mentioned, content, due_at, created_at) VALUES ${marks.join(', ')}
         ON DUPLICATE KEY UPDATE event_count = event_count + VALUES(event_count), message_id = VALUES(message_id),
           actor_id = VALUES(actor_id), content = VALUES(content),
           mentioned = GREATEST(mentioned, VALUES(mentioned))`,
        batch.flatMap((each) => [
          uuidv7(),
          each.userId,
          `${each.roomId}:${each.userId}`,
          each.eventId,
          each.eventCount,
          each.actorId,
          each.roomId,
          each.messageId,
          each.mentioned ? 1 : 0,
          each.content,
          each.dueAt,
          createdAt,
        ]),
      )
    }
  }

  /** Returns whether the same notification was planned since then, so that repeated requests are notified once. */
  async toldSince(
    tx: Tx,
    userId: number,
    kind: DeliveryKind,
    actorId: number,
    since: Date,
  ): Promise<boolean> {
    const told = await tx.delivery.findFirst({
      where: { actorId, kind, userId, createdAt: { gt: since }, state: { not: 'withdrawn' } },
      select: { id: true },
    })
    return told !== null
  }

  async withdrawFriendRequest(tx: Tx, userId: number, actorId: number): Promise<void> {
    await tx.delivery.updateMany({
      where: { actorId, kind: 'friend_request', userId, state: 'pending' },
      data: { state: 'withdrawn', finishedAt: new Date() },
    })
  }

  /** Updates the preview of waiting pushes. Raw: changes a part of the JSON. */
  async editMessage(tx: Tx, messageId: string, preview: string): Promise<void> {
    await tx.$executeRaw`
      UPDATE deliveries SET content = JSON_SET(content, '$.text', ${preview})
      WHERE message_id = ${messageId} AND state = 'pending' AND content IS NOT NULL`
  }

  /**
   * Removes a deleted message from waiting pushes; withdraws pushes without other messages. Raw: decides by
   * the row's count.
   */
  async withdrawMessage(tx: Tx, messageId: string): Promise<void> {
    await tx.$executeRaw`
      UPDATE deliveries SET content = NULL, digest_key = IF(event_count = 1, NULL, digest_key),
        finished_at = IF(event_count = 1, ${new Date()}, NULL), state = IF(event_count = 1, 'withdrawn', state),
        event_count = GREATEST(event_count - 1, 1)
      WHERE message_id = ${messageId} AND state = 'pending'`
  }

  /** Claims due deliveries, exclusively while the lease lasts. Raw: updateMany has no order. */
  async claim(channel: Channel, limit: number, now: number): Promise<Claim> {
    const leaseId = uuidv7()
    const [next] = await this.#mysql.read<{ dueAt: Date }>(
      'nextDelivery',
      Prisma.sql`SELECT due_at AS dueAt FROM deliveries
        WHERE state = 'pending' AND channel = ${channel} ORDER BY due_at LIMIT 1`,
    )
    const dueInMs = next ? next.dueAt.getTime() - now : Number.POSITIVE_INFINITY
    if (dueInMs > 0) return { leaseId, deliveries: [], dueInMs }
    const { client } = this.#mysql
    // No transaction: a crash between the two statements leaves leases that expire.
    const claimed = await client.$executeRaw`
      UPDATE deliveries SET lease_id = ${leaseId}, due_at = ${new Date(now + LEASE_MS)},
        attempts = attempts + 1, digest_key = NULL
      WHERE state = 'pending' AND channel = ${channel} AND due_at <= ${new Date(now)}
      ORDER BY due_at LIMIT ${limit}`
    const rows = claimed === 0 ? [] : await client.delivery.findMany({ where: { leaseId } })
    return { leaseId, deliveries: rows.map(toDelivery), dueInMs: 0 }
  }

  /** Finishes deliveries with the same result and deletes their content. Raw: skips a conversion of each id. */
  async finish(
    leaseId: string,
    ids: readonly string[],
    state: DeliveryState,
    error: string | null,
  ): Promise<void> {
    await this.#mysql.client.$executeRaw`
      UPDATE deliveries SET state = ${state}, lease_id = NULL, content = NULL, last_error = ${error},
        finished_at = ${new Date()}
      WHERE id IN (${Prisma.join([...ids])}) AND lease_id = ${leaseId} AND state = 'pending'`
  }

  /** @param counts false when no attempt was made (quiet hours) */
  async putOff(
    leaseId: string,
    id: string,
    dueAt: Date,
    error: string | null,
    counts: boolean,
  ): Promise<void> {
    await this.#mysql.client.delivery.updateMany({
      where: { id, leaseId, state: 'pending' },
      data: { leaseId: null, dueAt, lastError: error, ...(counts ? {} : { attempts: { decrement: 1 } }) },
    })
  }

  /** Returns deliveries newest first. */
  async list(userId: number, limit: number, beforeId: string | undefined): Promise<Delivery[]> {
    const rows = await this.#mysql.run('list', (db) =>
      db.delivery.findMany({
        where: { userId, ...(beforeId === undefined ? {} : { id: { lt: beforeId } }) },
        orderBy: { id: 'desc' },
        take: limit,
      }),
    )
    return rows.map(toDelivery)
  }

  async countOverdue(now: number): Promise<number> {
    return this.#mysql.client.delivery.count({
      where: { state: 'pending', channel: { in: ['mail', 'push'] }, dueAt: { lte: new Date(now) } },
    })
  }

  /** Erases deliveries to and about a deleted user. */
  async erase(tx: Tx, userId: number): Promise<void> {
    await tx.delivery.deleteMany({ where: { userId } })
    // Raw: the effect on a row depends on its state.
    await tx.$executeRaw`
      UPDATE deliveries SET content = NULL, state = IF(state = 'pending', 'withdrawn', state), digest_key = NULL,
        finished_at = COALESCE(finished_at, ${new Date()}), actor_id = NULL WHERE actor_id = ${userId}`
  }

  /** Deletes old deliveries. Raw: Prisma's deleteMany has no LIMIT. */
  async purge(): Promise<void> {
    const before = idOf(Date.now() - KEEP_DAYS * 86_400_000)
    await inBatches(
      PURGE_BATCH,
      (limit) =>
        this.#mysql.client
          .$executeRaw`DELETE FROM deliveries WHERE id < ${before} ORDER BY id LIMIT ${limit}`,
    )
  }
}

/** Returns the lowest id of a time: ids are UUIDs of version 7, which sort by time. */
function idOf(ms: number): string {
  return `${uuidv7(ms).slice(0, 13)}-7000-8000-000000000000`
}

function toDelivery(row: Row): Delivery {
  return {
    id: row.id,
    userId: Number(row.userId),
    kind: row.kind as DeliveryKind,
    channel: row.channel as Channel,
    state: row.state as DeliveryState,
    eventId: row.eventId,
    eventCount: row.eventCount,
    actorId: row.actorId === null ? null : Number(row.actorId),
    linkId: row.linkId,
    roomId: row.roomId === null ? null : Number(row.roomId),
    mentioned: row.mentioned,
    content: row.content === null ? null : (JSON.parse(row.content) as MessageContent),
    attempts: row.attempts,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
  }
}
