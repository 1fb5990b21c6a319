import type { Mysql, Tx } from '../../plugins/mysql.ts'

/** Where, and in which language, to reach somebody. */
export interface Contact {
  readonly userId: number
  readonly email: string | null
  readonly username: string
  readonly displayName: string
  readonly locale: string | null
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

  /** Deleted accounts are not found. */
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

  /** Keeps what an event says, unless something newer is known. Null does not replace an address or a language. */
  async put(tx: Tx, contact: Contact, at: Date): Promise<void> {
    const { userId, email, username, displayName, locale } = contact
    await tx.$executeRaw`
      INSERT INTO contacts (user_id, email, username, display_name, locale, source_at)
      VALUES (${userId}, ${email}, ${username}, ${displayName}, ${locale}, ${at})
      ON DUPLICATE KEY UPDATE
        email = IF(deleted_at IS NULL AND (email IS NULL OR VALUES(source_at) >= source_at),
          COALESCE(VALUES(email), email), email),
        locale = IF(deleted_at IS NULL AND (locale IS NULL OR VALUES(source_at) >= source_at),
          COALESCE(VALUES(locale), locale), locale),
        username = IF(deleted_at IS NULL AND VALUES(source_at) >= source_at, VALUES(username), username),
        display_name = IF(deleted_at IS NULL AND VALUES(source_at) >= source_at, VALUES(display_name), display_name),
        source_at = GREATEST(source_at, VALUES(source_at))`
  }

  /** Leaves a mark without data, so that a late event does not bring the address back. */
  async erase(tx: Tx, userId: number, at: Date): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO contacts (user_id, email, username, display_name, locale, source_at, deleted_at)
      VALUES (${userId}, NULL, '', '', NULL, ${at}, ${at})
      ON DUPLICATE KEY UPDATE email = NULL, username = '', display_name = '', locale = NULL,
        deleted_at = COALESCE(deleted_at, VALUES(deleted_at))`
  }
}
