import type { Mysql, Tx } from '../../infrastructure/mysql.ts'

/** The local copy of a public profile. */
export interface Person {
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly statusMessage: string | null
  readonly profileImageUrl: string | null
}

export interface KnownPerson extends Person {
  /** False until the first event about the user: the name may be that of an access token. */
  readonly isFromEvent: boolean
}

export class PeopleRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async findMany(userIds: readonly number[]): Promise<KnownPerson[]> {
    if (userIds.length === 0) return []
    const rows = await this.#mysql.run('findMany', (db) =>
      db.person.findMany({ where: { userId: { in: userIds.map(BigInt) } } }),
    )
    return rows.map((row) => ({
      userId: Number(row.userId),
      username: row.username,
      displayName: row.displayName,
      statusMessage: row.statusMessage,
      profileImageUrl: row.profileImageUrl,
      isFromEvent: row.version > 0n || row.deletedAt !== null,
    }))
  }

  /**
   * Returns which of the two are deleted. Locks both until the transaction ends: a deletion waits for
   * requests in flight and then removes what they wrote.
   */
  async lockAndFindErased(
    tx: Tx,
    me: { readonly userId: number; readonly username: string },
    otherId: number,
  ): Promise<number[]> {
    // A missing row cannot be locked, and the caller may be newer than the last event.
    const { userId, username } = me
    await tx.person.createMany({ data: { userId, username, displayName: username }, skipDuplicates: true })
    // Raw: Prisma has no LOCK IN SHARE MODE.
    const rows = await tx.$queryRaw<{ user_id: bigint; erased: number }[]>`
      SELECT user_id, deleted_at IS NOT NULL AS erased FROM people
      WHERE user_id IN (${me.userId}, ${otherId}) ORDER BY user_id LOCK IN SHARE MODE`
    return rows.filter(({ erased }) => Number(erased) === 1).map((row) => Number(row.user_id))
  }

  /**
   * Stores a profile from an event, unless a newer version is stored or the account is deleted. Raw:
   * compares in the writing statement.
   *
   * @param version of the user's row; 0 when the event has none
   */
  async put(tx: Tx, person: Person, version: number): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO people (user_id, username, display_name, status_message, profile_image_url, version, changed_at)
      VALUES (${person.userId}, ${person.username}, ${person.displayName}, ${person.statusMessage},
        ${person.profileImageUrl}, ${version}, UTC_TIMESTAMP(3))
      ON DUPLICATE KEY UPDATE
        changed_at = IF(deleted_at IS NULL AND VALUES(version) >= version, VALUES(changed_at), changed_at),
        username = IF(deleted_at IS NULL AND VALUES(version) >= version, VALUES(username), username),
        display_name = IF(deleted_at IS NULL AND VALUES(version) >= version, VALUES(display_name), display_name),
        status_message = IF(deleted_at IS NULL AND VALUES(version) >= version, VALUES(status_message), status_message),
        profile_image_url = IF(deleted_at IS NULL AND VALUES(version) >= version, VALUES(profile_image_url), profile_image_url),
        version = GREATEST(version, VALUES(version))`
  }

  /** Stores a profile returned by user-service; the first event about the user replaces it. */
  async learn(person: Person): Promise<void> {
    await this.#mysql.run('learn', (db) => {
      const { userId, username, displayName, statusMessage, profileImageUrl } = person
      const data = { userId, username, displayName, statusMessage, profileImageUrl }
      return db.person.createMany({ data, skipDuplicates: true })
    })
  }

  /** Stores a tombstone, so that neither a late event nor a request restores the user. Raw: one statement. */
  async erase(tx: Tx, userId: number, at: Date): Promise<void> {
    await tx.$executeRaw`
      INSERT INTO people (user_id, username, display_name, deleted_at)
      VALUES (${userId}, '', '', ${at})
      ON DUPLICATE KEY UPDATE username = '', display_name = '', status_message = NULL,
        profile_image_url = NULL, deleted_at = COALESCE(deleted_at, VALUES(deleted_at))`
  }
}
