import type { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
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

const columns = {
  id: true,
  roomId: true,
  createdBy: true,
  createdAt: true,
  expiresAt: true,
  maxUses: true,
  uses: true,
} as const satisfies Prisma.RoomLinkSelect

type LinkRow = Prisma.RoomLinkGetPayload<{ select: typeof columns }>

/** Join links in MySQL. A room has few: creating a link deletes the invalid ones. */
export class LinkRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Returns a link, including an invalid one. */
  async find(tokenHash: Uint8Array<ArrayBuffer>): Promise<JoinLinkRecord | undefined> {
    const link = await this.#mysql.run('join_link', (db) =>
      db.roomLink.findUnique({ where: { tokenHash }, select: columns }),
    )
    return link ? toRecord(link) : undefined
  }

  /** Returns the valid links, newest first, one more than `limit`. */
  async list(roomId: number, before: number | undefined, limit: number, at: Date): Promise<JoinLinkRecord[]> {
    const older = before === undefined ? {} : { id: { lt: before } }
    const links = await this.#mysql.run('join_links', (db) =>
      db.roomLink.findMany({
        where: { roomId, ...older, ...works(db, at) },
        orderBy: { id: 'desc' },
        take: limit + 1,
        select: columns,
      }),
    )
    return links.map(toRecord)
  }

  /** Creates a link in a locked room; undefined at the limit of links. */
  async insert(
    { sql }: RoomTransaction,
    link: Omit<JoinLinkRecord, 'linkId' | 'uses'> & { readonly tokenHash: Uint8Array<ArrayBuffer> },
    maxLinks: number,
  ): Promise<number | undefined> {
    const { roomId } = link
    await sql.roomLink.deleteMany({ where: { roomId, NOT: works(sql, link.createdAt) } })
    if ((await sql.roomLink.count({ where: { roomId } })) >= maxLinks) return undefined
    const { id } = await sql.roomLink.create({ data: link, select: { id: true } })
    return Number(id)
  }

  async delete({ sql }: RoomTransaction, roomId: number, linkId: number): Promise<boolean> {
    const { count } = await sql.roomLink.deleteMany({ where: { id: linkId, roomId } })
    return count === 1
  }

  /** Counts one use if the link is still valid: concurrent uses never exceed its limit. */
  async use({ sql }: RoomTransaction, linkId: number, at: Date): Promise<boolean> {
    const { count } = await sql.roomLink.updateMany({
      where: { id: linkId, ...works(sql, at) },
      data: { uses: { increment: 1 } },
    })
    return count === 1
  }
}

/** The condition that a link still admits users, evaluated by the statement it is part of. */
function works({ roomLink }: Pick<Tx, 'roomLink'>, at: Date) {
  return {
    AND: [
      { OR: [{ expiresAt: null }, { expiresAt: { gt: at } }] },
      { OR: [{ maxUses: null }, { maxUses: { gt: roomLink.fields.uses } }] },
    ],
  } satisfies Prisma.RoomLinkWhereInput
}

function toRecord({ id, roomId, createdBy, ...link }: LinkRow): JoinLinkRecord {
  return { linkId: Number(id), roomId: Number(roomId), createdBy: Number(createdBy), ...link }
}
