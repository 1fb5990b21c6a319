import type { HotTransaction } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { pairOf } from './contacts.ts'

/** A user's address and language. */
export interface Contact {
  readonly userId: number
  readonly email: string | null
  readonly username: string
  readonly displayName: string
  readonly locale: string | null
}

interface RestrictionRow {
  readonly restricter_id: bigint
  readonly restricted_id: bigint
}

export class ContactsRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async find(userId: number): Promise<Contact | undefined> {
    const [contact] = await this.findMany([userId])
    return contact
  }

  /**
   * Returns the display name; null for deleted accounts and users who have blocked the viewer, undefined
   * while unknown.
   */
  async nameFor(viewerId: number, userId: number): Promise<string | null | undefined> {
    const blockerId_blockedId = { blockerId: userId, blockedId: viewerId }
    const block = await this.#mysql.run('blockOf', (db) =>
      db.block.findUnique({ where: { blockerId_blockedId } }),
    )
    if (block) return null
    const contact = await this.#mysql.run('contactOf', (db) => db.contact.findUnique({ where: { userId } }))
    if (contact?.deletedAt) return null
    return contact?.displayName || contact?.username
  }

  async addBlock(tx: Tx, blockerId: number, blockedId: number): Promise<void> {
    await tx.block.createMany({ data: { blockerId, blockedId }, skipDuplicates: true })
  }

  async removeBlock(tx: Tx, blockerId: number, blockedId: number): Promise<void> {
    await tx.block.deleteMany({ where: { blockerId, blockedId } })
  }

  setBlock(tx: Tx, blockerId: number, blockedId: number, isBlocked: boolean): Promise<void> {
    return isBlocked ? this.addBlock(tx, blockerId, blockedId) : this.removeBlock(tx, blockerId, blockedId)
  }

  async setRestriction(
    tx: Tx,
    restricterId: number,
    restrictedId: number,
    isRestricted: boolean,
  ): Promise<void> {
    const pair = { restricterId, restrictedId }
    if (isRestricted) await tx.restriction.createMany({ data: pair, skipDuplicates: true })
    else await tx.restriction.deleteMany({ where: pair })
  }

  /** Returns who of the first users restricts whom of the second ones, each as `pairOf`. */
  async restrictions(
    restricterIds: readonly number[],
    restrictedIds: readonly number[],
    tx?: HotTransaction,
  ): Promise<Set<string>> {
    if (restricterIds.length === 0 || restrictedIds.length === 0) return new Set()
    const statement = Prisma.sql`
      SELECT restricter_id, restricted_id FROM restrictions
      WHERE restricted_id IN (${Prisma.join(restrictedIds)}) AND restricter_id IN (${Prisma.join(restricterIds)})`
    const rows = await (tx?.read<RestrictionRow>(statement) ??
      this.#mysql.read<RestrictionRow>('restrictions', statement))
    return new Set(rows.map((row) => pairOf(Number(row.restricter_id), Number(row.restricted_id))))
  }

  /** Returns contacts, omitting deleted accounts. */
  async findMany(userIds: readonly number[]): Promise<Contact[]> {
    const rows = await this.#mysql.run('findMany', (db) =>
      db.contact.findMany({ where: { userId: { in: userIds.map(BigInt) }, deletedAt: null } }),
    )
    return rows.map(({ userId, email, username, displayName, locale }) => ({
      userId: Number(userId),
      email,
      username,
      displayName,
      locale,
    }))
  }

  /**
   * Stores a contact from an event, unless a newer version is stored. Raw: compares in the writing
   * statement. Null does not replace an address or a language.
   *
   * @param version of the user's row; 0 when the event has none
   */
  async put(tx: Tx, contact: Contact, version: number): Promise<void> {
    const { userId, email, username, displayName, locale } = contact
    await tx.$executeRaw`
      INSERT INTO contacts (user_id, email, username, display_name, locale, version)
      VALUES (${userId}, ${email}, ${username}, ${displayName}, ${locale}, ${version})
      ON DUPLICATE KEY UPDATE
        email = IF(deleted_at IS NULL AND (email IS NULL OR VALUES(version) >= version),
          COALESCE(VALUES(email), email), email),
        locale = IF(deleted_at IS NULL AND (locale IS NULL OR VALUES(version) >= version),
          COALESCE(VALUES(locale), locale), locale),
        username = IF(deleted_at IS NULL AND VALUES(version) >= version, VALUES(username), username),
        display_name = IF(deleted_at IS NULL AND VALUES(version) >= version, VALUES(display_name), display_name),
        version = GREATEST(version, VALUES(version))`
  }

  /**
   * Returns whether the account is erased. Raw: locks the contact until the commit, so that an erasure either
   * is visible or sees what the caller stores.
   */
  async isErased(tx: Tx, userId: number): Promise<boolean> {
    const rows = await tx.$queryRaw<{ erased: number | bigint }[]>`
      SELECT deleted_at IS NOT NULL AS erased FROM contacts WHERE user_id = ${userId} LOCK IN SHARE MODE`
    return Number(rows[0]?.erased ?? 0) === 1
  }

  /** Like `isErased` for several users: returns the erased ones. */
  async erasedAmong(tx: HotTransaction, userIds: readonly number[]): Promise<Set<number>> {
    const rows = await tx.read<{ user_id: bigint; erased: number | bigint }>(Prisma.sql`
      SELECT user_id, deleted_at IS NOT NULL AS erased FROM contacts
      WHERE user_id IN (${Prisma.join(userIds)}) ORDER BY user_id LOCK IN SHARE MODE`)
    return new Set(rows.filter(({ erased }) => Number(erased) === 1).map((row) => Number(row.user_id)))
  }

  /** Stores a tombstone, so that a late event does not restore the address. Raw: one statement. */
  async erase(tx: Tx, userId: number, at: Date): Promise<void> {
    await tx.block.deleteMany({ where: { OR: [{ blockerId: userId }, { blockedId: userId }] } })
    await tx.restriction.deleteMany({ where: { OR: [{ restricterId: userId }, { restrictedId: userId }] } })
    await tx.$executeRaw`
      INSERT INTO contacts (user_id, email, username, display_name, locale, deleted_at)
      VALUES (${userId}, NULL, '', '', NULL, ${at})
      ON DUPLICATE KEY UPDATE email = NULL, username = '', display_name = '', locale = NULL,
        deleted_at = COALESCE(deleted_at, VALUES(deleted_at))`
  }
}
