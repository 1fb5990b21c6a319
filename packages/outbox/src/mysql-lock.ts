import type { MySqlSession } from '@bigtech/stores'
import type { RelayLock } from './relay.ts'

/** A confirmed lock is not checked again for this long; a broken connection is noticed at once. */
const CONFIRMED_MS = 1_000

/**
 * The relay lock as a named lock of MySQL, tied to its session: the server releases it immediately when the
 * process is killed, and after the session's idle timeout (45 s) when the network is cut, which is longer
 * than any publish begun under the lock.
 */
export class MySqlRelayLock implements RelayLock {
  readonly #session: MySqlSession
  readonly #name: string
  #lockedIn = 0
  #confirmedUntil = 0

  /**
   * @param session a dedicated session, or the session of a MySqlOutboxStore
   * @param shard distinguishes several outboxes of one database
   */
  constructor(session: MySqlSession, shard = '0') {
    this.#session = session
    // Named locks are global to the server and limited to 64 characters.
    this.#name = `${session.database}:outbox:${shard}`
    if (this.#name.length > 64) throw new Error(`lock name too long: ${this.#name}`)
  }

  async tryLock(): Promise<boolean> {
    const askedAt = performance.now()
    const [row] = await this.#session.query<{ ok: number | null }[]>('SELECT GET_LOCK(?, 0) AS ok', [
      this.#name,
    ])
    if (row?.ok !== 1) return false
    this.#lockedIn = this.#session.generation
    this.#confirmedUntil = askedAt + CONFIRMED_MS
    return true
  }

  async isHeld(): Promise<boolean> {
    if (this.#lockedIn === 0 || this.#session.generation !== this.#lockedIn) return false
    const askedAt = performance.now()
    if (askedAt < this.#confirmedUntil) return true
    const [row] = await this.#session.query<{ ours: number | null }[]>(
      'SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS ours',
      [this.#name],
    )
    if (row?.ours !== 1) return false
    this.#confirmedUntil = askedAt + CONFIRMED_MS
    return true
  }

  async unlock(): Promise<void> {
    const held = this.#lockedIn !== 0 && this.#session.generation === this.#lockedIn
    this.#lockedIn = 0
    if (held) await this.#session.query('SELECT RELEASE_LOCK(?)', [this.#name])
  }
}
