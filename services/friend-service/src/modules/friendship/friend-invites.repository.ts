import { createHash, randomBytes } from 'node:crypto'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

const TOKEN_BYTES = 18
const LIFETIME_MS = 7 * 86_400_000
const MOST_INVITES = 20
const PURGE_BATCH = 1_000

/** Invite links, stored by the hash of their token. */
export class FriendInvitesRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  /** Creates a link; the 21st revokes the oldest. Returns the token, which is not stored. */
  async create(ownerId: number, now: number): Promise<{ token: string; expiresAt: Date }> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const expiresAt = new Date(now + LIFETIME_MS)
    await this.#mysql.transaction('create_invite', async (tx) => {
      const data = { tokenHash: hashOf(token), ownerId, createdAt: new Date(now), expiresAt }
      await tx.friendInvite.create({ data, select: { ownerId: true } })
      const surplus = await tx.friendInvite.findMany({
        where: { ownerId },
        orderBy: [{ createdAt: 'desc' }, { tokenHash: 'desc' }],
        skip: MOST_INVITES,
        select: { tokenHash: true },
      })
      await tx.friendInvite.deleteMany({ where: { tokenHash: { in: surplus.map((row) => row.tokenHash) } } })
    })
    return { token, expiresAt }
  }

  /** Returns the owner of a link; undefined for an invalid link, or if the owner has blocked the viewer. */
  async ownerOf(token: string, viewerId: number, now: number): Promise<number | undefined> {
    const row = await this.#mysql.run('find_invite', (db) =>
      db.friendInvite.findFirst({ where: { tokenHash: hashOf(token), expiresAt: { gt: new Date(now) } } }),
    )
    if (!row) return undefined
    const ownerId = Number(row.ownerId)
    return (await this.#isHidden(ownerId, viewerId)) ? undefined : ownerId
  }

  async revoke(ownerId: number): Promise<void> {
    await this.#mysql.run('revoke_invites', (db) => db.friendInvite.deleteMany({ where: { ownerId } }))
  }

  async forget(tx: Tx, ownerId: number): Promise<void> {
    await tx.friendInvite.deleteMany({ where: { ownerId } })
  }

  /** Deletes expired links. Raw: deleteMany has no LIMIT. */
  async purge(now: number): Promise<void> {
    for (let deleted = PURGE_BATCH; deleted === PURGE_BATCH; ) {
      deleted = await this.#mysql.client.$executeRaw`
        DELETE FROM friend_invites WHERE expires_at < ${new Date(now)} LIMIT ${PURGE_BATCH}`
    }
  }

  async #isHidden(ownerId: number, viewerId: number): Promise<boolean> {
    const [userLow, userHigh] = ownerId < viewerId ? [ownerId, viewerId] : [viewerId, ownerId]
    const [pair, owner] = await this.#mysql.run('invite_owner', (db) =>
      Promise.all([
        db.friendship.findUnique({ where: { userLow_userHigh: { userLow, userHigh } } }),
        db.person.findUnique({ where: { userId: ownerId }, select: { deletedAt: true } }),
      ]),
    )
    const blockedAt = ownerId === userLow ? pair?.blockedByLowAt : pair?.blockedByHighAt
    return Boolean(blockedAt) || owner?.deletedAt != null
  }
}

function hashOf(token: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(token).digest())
}
