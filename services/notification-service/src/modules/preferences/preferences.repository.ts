import type { HotTransaction } from '@bigtech/stores'
import { Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { defaultPreferences, type Preferences } from './preferences.ts'

interface Row {
  readonly user_id: bigint
  readonly message_push: number
  readonly friend_request_push: number
  readonly mentions_when_muted: number
  readonly show_preview: number
  readonly quiet_start: string | null
  readonly quiet_end: string | null
  readonly time_zone: string | null
}

export class PreferencesRepository {
  readonly #mysql: Mysql

  constructor(mysql: Mysql) {
    this.#mysql = mysql
  }

  async find(userId: number): Promise<Preferences> {
    return (await this.findMany([userId])).get(userId) ?? defaultPreferences
  }

  /** Returns stored preferences; users without a row have the defaults. Reads in the given transaction. */
  async findMany(userIds: readonly number[], tx?: HotTransaction): Promise<Map<number, Preferences>> {
    if (userIds.length === 0) return new Map()
    const statement = Prisma.sql`
      SELECT user_id, message_push, friend_request_push, mentions_when_muted, show_preview, quiet_start, quiet_end,
        time_zone FROM preferences WHERE user_id IN (${Prisma.join(userIds)})`
    const rows = await (tx?.read<Row>(statement) ?? this.#mysql.read<Row>('preferences', statement))
    return new Map(rows.map((row) => [Number(row.user_id), toPreferences(row)]))
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

function toPreferences(row: Row): Preferences {
  const { quiet_start: start, quiet_end: end, time_zone: timeZone } = row
  return {
    messagePush: row.message_push === 1,
    friendRequestPush: row.friend_request_push === 1,
    mentionsWhenMuted: row.mentions_when_muted === 1,
    showPreview: row.show_preview === 1,
    quietHours: start && end && timeZone ? { start, end, timeZone } : null,
  }
}
