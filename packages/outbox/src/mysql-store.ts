import type { MySqlSession } from '@bigtech/stores'
import type { OutboxRow, OutboxStore } from './relay.ts'

interface TableRow {
  readonly id: number
  readonly topic: string
  readonly msg_key: string
  readonly payload: string
  readonly headers: string
}

const SENT = 1
const PARKED = 2
const PURGE_BATCH = 500
const UNSENT = { sql: 'SELECT 1 FROM outbox WHERE sent = 0', values: [] }

export interface MySqlOutboxStoreOptions {
  /** Retention of published rows, for inspection. Default 3 days. */
  readonly keepDays?: number
  /** Asks over another connection, together with other periodic queries of the process. */
  readonly has?: (query: { readonly sql: string; readonly values: readonly unknown[] }) => Promise<boolean>
}

/** The outbox table of a service. */
export class MySqlOutboxStore implements OutboxStore<number> {
  readonly #session: MySqlSession
  readonly #keepDays: number
  readonly hasUnsent?: () => Promise<boolean>

  constructor(session: MySqlSession, options: MySqlOutboxStoreOptions = {}) {
    this.#session = session
    this.#keepDays = options.keepDays ?? 3
    const { has } = options
    if (has) this.hasUnsent = () => has(UNSENT)
  }

  /** Selects by `sent`, never by "id greater than the last": a transaction that commits late has a low id. */
  async fetchUnsent(limit: number): Promise<OutboxRow<number>[]> {
    const rows = await this.#session.query<TableRow[]>(
      'SELECT id, topic, msg_key, payload, headers FROM outbox WHERE sent = 0 ORDER BY id LIMIT ?',
      [limit],
    )
    return rows.map(({ id, topic, msg_key, payload, headers }) => ({
      id,
      record: { topic, key: msg_key, value: payload, headers: JSON.parse(headers) as Record<string, string> },
    }))
  }

  async markSent(ids: readonly number[]): Promise<void> {
    await this.#session.query(`UPDATE outbox SET sent = ${SENT} WHERE id IN (?)`, [ids])
  }

  async park(id: number, reason: string): Promise<void> {
    await this.#session.query(`UPDATE outbox SET sent = ${PARKED}, parked_reason = ? WHERE id = ?`, [
      reason,
      id,
    ])
  }

  async backlog(): Promise<{ events: number; oldestSeconds: number }> {
    const [count] = await this.#session.query<{ events: number }[]>(
      'SELECT COUNT(*) AS events FROM outbox WHERE sent = 0',
    )
    const [oldest] = await this.#session.query<{ us: number }[]>(
      'SELECT TIMESTAMPDIFF(MICROSECOND, created_at, UTC_TIMESTAMP(3)) AS us FROM outbox WHERE sent = 0 ORDER BY id LIMIT 1',
    )
    return { events: count?.events ?? 0, oldestSeconds: (oldest?.us ?? 0) / 1e6 }
  }

  /** Deletes the oldest published rows in small batches, so that reads and locks stay small for any table size. */
  async purge(): Promise<number> {
    const rows = await this.#session.query<{ id: number; old: number }[]>(
      `SELECT id, created_at < UTC_TIMESTAMP(3) - INTERVAL ? DAY AS old
       FROM outbox WHERE sent = ${SENT} ORDER BY id LIMIT ${PURGE_BATCH}`,
      [this.#keepDays],
    )
    const ids = rows.filter(({ old }) => old === 1).map(({ id }) => id)
    if (ids.length > 0) await this.#session.query('DELETE FROM outbox WHERE id IN (?)', [ids])
    return ids.length
  }
}
