import type { MySqlSession } from '@bigtech/stores'
import type { RelayLock } from './relay.ts'

/**
 * The relay lock as a named lock of MySQL. It lives and dies with its session: when the process is
 * killed the server frees it at once, and when the network is cut, after the session's idle time
 * (45 s), which is longer than any publish that was begun under it.
 */
export class MySqlRelayLock implements RelayLock {
  readonly #session: MySqlSession
  readonly #name: string
  #lockedIn = 0

  /**
   * @param session its own, or the one of a MySqlOutboxStore
   * @param shard when one database has several outboxes
   */
  constructor(session: MySqlSession, shard = '0') {
    this.#session = session
    // Named locks are shared by all databases of a server, and at most 64 characters long.
    this.#name = `${session.database}:outbox:${shard}`
    if (this.#name.length > 64) throw new Error(`lock name too long: ${this.#name}`)
  }

  async tryLock(): Promise<boolean> {
    const [row] = await this.#session.query<{ ok: number | null }[]>('SELECT GET_LOCK(?, 0) AS ok', [
      this.#name,
    ])
    if (row?.ok !== 1) return false
    this.#lockedIn = this.#session.generation
    return true
  }

  async isHeld(): Promise<boolean> {
    if (this.#lockedIn === 0 || this.#session.generation !== this.#lockedIn) return false
    const [row] = await this.#session.query<{ ours: number | null }[]>(
      'SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS ours',
      [this.#name],
    )
    return row?.ours === 1
  }

  async unlock(): Promise<void> {
    const held = this.#lockedIn !== 0 && this.#session.generation === this.#lockedIn
    this.#lockedIn = 0
    if (held) await this.#session.query('SELECT RELEASE_LOCK(?)', [this.#name])
  }
}
