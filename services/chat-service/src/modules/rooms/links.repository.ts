import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql } from '../../infrastructure/mysql.ts'
import type { RoomTransaction } from './room-transaction.repository.ts'

export interface JoinLinkRecord {
  readonly linkId: number
  readonly roomId: number
  readonly createdBy: number
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly maxUses: number | null
  readonly uses: number
}

interface LinkRow {
  id: bigint
  room_id: bigint
  created_by: bigint
  created_at: Date
  expires_at: Date | null
  max_uses: number | bigint | null
  uses: number | bigint
}

const columns = Prisma.sql`id, room_id, created_by, created_at, expires_at, max_uses, uses`
const works = (at: Date) =>
  Prisma.sql`(expires_at IS NULL OR expires_at > ${at}) AND (max_uses IS NULL OR uses < max_uses)`

/** Join links in MySQL. A room has few: creating a link deletes the invalid ones. */
export class LinkRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Returns a link, including an invalid one. */
  async find(tokenHash: Buffer): Promise<JoinLinkRecord | undefined> {
    const [row] = await this.#mysql.run(
      'join_link',
      (db) => db.$queryRaw<LinkRow[]>`
        SELECT ${columns} FROM room_links WHERE token_hash = ${tokenHash}`,
    )
    return row && toRecord(row)
  }

  /** Returns the valid links, newest first, one more than `limit`. */
  async list(roomId: number, before: number | undefined, limit: number, at: Date): Promise<JoinLinkRecord[]> {
    const older = before === undefined ? Prisma.empty : Prisma.sql`AND id < ${before}`
    const rows = await this.#mysql.run(
      'join_links',
      (db) => db.$queryRaw<LinkRow[]>`
        SELECT ${columns} FROM room_links WHERE room_id = ${roomId} ${older} AND ${works(at)}
        ORDER BY id DESC LIMIT ${limit + 1}`,
    )
    return rows.map(toRecord)
  }

  /** Creates a link in a locked room; undefined at the limit of links. */
  async insert(
    tx: RoomTransaction,
    link: Omit<JoinLinkRecord, 'linkId' | 'uses'> & { tokenHash: Buffer },
    maxLinks: number,
  ): Promise<number | undefined> {
    const { sql } = tx
    await sql.$executeRaw`DELETE FROM room_links WHERE room_id = ${link.roomId} AND NOT (${works(link.createdAt)})`
    const [count] = await sql.$queryRaw<{ links: bigint }[]>`
      SELECT COUNT(*) AS links FROM room_links WHERE room_id = ${link.roomId}`
    if (Number(count!.links) >= maxLinks) return undefined
    await sql.$executeRaw`
      INSERT INTO room_links (room_id, token_hash, created_by, created_at, expires_at, max_uses)
      VALUES (${link.roomId}, ${link.tokenHash}, ${link.createdBy}, ${link.createdAt}, ${link.expiresAt}, ${link.maxUses})`
    const [row] = await sql.$queryRaw<{ id: bigint }[]>`SELECT LAST_INSERT_ID() AS id`
    return Number(row!.id)
  }

  async delete(tx: RoomTransaction, roomId: number, linkId: number): Promise<boolean> {
    const deleted = await tx.sql
      .$executeRaw`DELETE FROM room_links WHERE id = ${linkId} AND room_id = ${roomId}`
    return deleted === 1
  }

  /** Counts one use if the link is still valid: concurrent uses never exceed its limit. */
  async use(tx: RoomTransaction, linkId: number, at: Date): Promise<boolean> {
    const used = await tx.sql
      .$executeRaw`UPDATE room_links SET uses = uses + 1 WHERE id = ${linkId} AND ${works(at)}`
    return used === 1
  }
}

function toRecord(row: LinkRow): JoinLinkRecord {
  return {
    linkId: Number(row.id),
    roomId: Number(row.room_id),
    createdBy: Number(row.created_by),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    maxUses: row.max_uses === null ? null : Number(row.max_uses),
    uses: Number(row.uses),
  }
}
