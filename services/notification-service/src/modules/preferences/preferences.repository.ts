import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { defaultPreferences, type Preferences } from './preferences.ts'

export class PreferencesRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async find(userId: number): Promise<Preferences> {
    return (await this.findMany([userId])).get(userId) ?? defaultPreferences
  }

  /** Returns stored preferences; users without a row have the defaults. Reads in the given transaction. */
  async findMany(userIds: readonly number[], tx?: Tx): Promise<Map<number, Preferences>> {
    const query = { where: { userId: { in: userIds.map(BigInt) } } }
    const rows = tx
      ? await tx.preference.findMany(query)
      : await this.#mysql.run('findMany', (db) => db.preference.findMany(query))
    return new Map(
      rows.map((row) => [
        Number(row.userId),
        {
          messagePush: row.messagePush,
          friendRequestPush: row.friendRequestPush,
          mentionsWhenMuted: row.mentionsWhenMuted,
          showPreview: row.showPreview,
          quietHours:
            row.quietStart && row.quietEnd && row.timeZone
              ? { start: row.quietStart, end: row.quietEnd, timeZone: row.timeZone }
              : null,
        },
      ]),
    )
  }

  async put(userId: number, preferences: Preferences): Promise<void> {
    const { quietHours, ...flags } = preferences
    const data = {
      ...flags,
      quietStart: quietHours?.start ?? null,
      quietEnd: quietHours?.end ?? null,
      timeZone: quietHours?.timeZone ?? null,
    }
    await this.#mysql.run('put', (db) =>
      db.preference.upsert({ where: { userId }, create: { userId, ...data }, update: data }),
    )
  }

  /** Stores the preferences that a new user begins with, unless the user has chosen some already. */
  async createInitial(tx: Tx, userId: number): Promise<void> {
    const { quietHours: _none, ...flags } = defaultPreferences
    await tx.preference.createMany({ data: [{ userId, ...flags }], skipDuplicates: true })
  }

  async erase(tx: Tx, userId: number): Promise<void> {
    await tx.preference.deleteMany({ where: { userId } })
  }
}
