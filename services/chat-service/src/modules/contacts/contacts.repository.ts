import { chatDataErased, type EventBase } from '@bigtech/contracts'
import { type Outbox, once, wasApplied } from '@bigtech/outbox'
import { type ContactPair, Prisma } from '../../generated/prisma/client.ts'
import type { Mysql, Tx } from '../../infrastructure/mysql.ts'
import { applyFact, type ContactName, type Pair, type PairFact, peopleOf, unrelated } from './contacts.ts'
import type { Mute } from './muted-users.ts'
import { countListChange, countProfileChange } from './prisma-list-versions.ts'

interface PairRow {
  low: bigint
  high: bigint
  friends: boolean | number
  low_blocks_high: boolean | number
  high_blocks_low: boolean | number
  low_restricts_high: boolean | number
  high_restricts_low: boolean | number
  version: bigint
}

/** An event to be applied once by the named consumer. */
export interface Applied {
  readonly consumer: string
  readonly event: EventBase
}

export type Outcome = 'applied' | 'duplicate' | 'ignored'

/** The local copies of names, friendships and blocks, in MySQL. */
export class ContactRepository {
  readonly #mysql: Mysql
  readonly #outbox: Outbox
  readonly #onCommit: () => void

  /** @param onCommit wakes the outbox relay. */
  constructor(mysql: Mysql, outbox: Outbox, onCommit: () => void) {
    this.#mysql = mysql
    this.#outbox = outbox
    this.#onCommit = onCommit
  }

  /** Returns the names of existing accounts visible to the viewer: omits accounts that block the viewer. */
  async names(userIds: readonly number[], viewerId: number | null): Promise<ContactName[]> {
    if (userIds.length === 0) return []
    // Raw: the room list asks for all its names in this one statement, with the viewer's blocks looked up by key.
    const rows = await this.#mysql.run(
      'contact_names',
      (db) => db.$queryRaw<
        {
          user_id: bigint
          username: string
          display_name: string
          profile_image_url: string | null
          restricted: number | bigint | boolean | null
        }[]
      >`
        SELECT user_id, username, display_name, profile_image_url,
          IF(pair.low = person.user_id, pair.high_restricts_low, pair.low_restricts_high) AS restricted
        FROM contact_users AS person
        LEFT JOIN contact_pairs AS pair
          ON pair.low = LEAST(person.user_id, ${viewerId}) AND pair.high = GREATEST(person.user_id, ${viewerId})
        WHERE user_id IN (${Prisma.join([...userIds])}) AND deleted_at IS NULL
          AND NOT COALESCE(IF(pair.low = person.user_id, pair.low_blocks_high, pair.high_blocks_low), 0)`,
    )
    return rows.map((row) => ({
      userId: Number(row.user_id),
      username: row.username,
      displayName: row.display_name,
      profileImageUrl: row.profile_image_url,
      isRestricted: Boolean(row.restricted),
    }))
  }

  /** Returns the pairs of one user with others; omits pairs without a relation. */
  async pairsOf(userId: number, otherIds: readonly number[]): Promise<Map<number, Pair>> {
    if (otherIds.length === 0) return new Map()
    const others = { in: [...otherIds] }
    // Two statements, a range of one index each: an OR over both columns would have to merge them.
    const [above, below] = await this.#mysql.run('contact_pairs', (db) =>
      Promise.all([
        db.contactPair.findMany({ where: { low: userId, high: others } }),
        db.contactPair.findMany({ where: { high: userId, low: others } }),
      ]),
    )
    return new Map([
      ...above.map((row) => [Number(row.high), toPair(row)] as const),
      ...below.map((row) => [Number(row.low), toPair(row)] as const),
    ])
  }

  /** Returns at most 5,000 friends of a user, without those of whom one restricts the other. */
  async presenceViewersOf(userId: number): Promise<number[]> {
    // Raw: up to 5,000 rows for each change of a profile or of presence, in every process.
    const rows = await this.#mysql.run(
      'contact_friends',
      (db) => db.$queryRaw<{ id: bigint }[]>`
        SELECT high AS id FROM contact_pairs
        WHERE low = ${userId} AND friends = 1 AND low_restricts_high = 0 AND high_restricts_low = 0
        UNION ALL
        SELECT low FROM contact_pairs
        WHERE high = ${userId} AND friends = 1 AND low_restricts_high = 0 AND high_restricts_low = 0
        LIMIT 5000`,
    )
    return rows.map(({ id }) => Number(id))
  }

  /** Returns the users who let strangers add them to groups. */
  async openToStrangers(userIds: readonly number[]): Promise<Set<number>> {
    if (userIds.length === 0) return new Set()
    const rows = await this.#mysql.run('contact_settings', (db) =>
      db.contactSettings.findMany({
        where: { userId: { in: [...userIds] }, strangersMayAdd: true },
        select: { userId: true },
      }),
    )
    return new Set(rows.map(({ userId }) => Number(userId)))
  }

  async saveStrangersMayAdd(userId: number, allowed: boolean, at: Date): Promise<void> {
    // Raw: Prisma's upsert is a SELECT and an INSERT on MySQL, and the second of two first savers would fail.
    await this.#mysql.run(
      'contact_settings_save',
      (db) => db.$executeRaw`
        INSERT INTO contact_settings (user_id, strangers_may_add, updated_at) VALUES (${userId}, ${allowed}, ${at})
        ON DUPLICATE KEY UPDATE strangers_may_add = VALUES(strangers_may_add), updated_at = VALUES(updated_at)`,
    )
  }

  /** Applies a change of a pair's relation, once. */
  applyPairFact(applied: Applied, fact: PairFact): Promise<Outcome> {
    return this.#once('contact_pair_apply', applied, async (tx) => {
      const { low, high } = peopleOf(fact)
      await countChangedLists(tx, fact)
      // Raw: Prisma has neither FOR UPDATE nor an upsert in one statement; two first events of a pair may race.
      const [row] = await tx.$queryRaw<PairRow[]>`
        SELECT * FROM contact_pairs
        WHERE low = ${low} AND high = ${high} FOR UPDATE`
      const known = Number(row?.version ?? 0)
      const version = fact.version ?? known
      if (version < known || (await anyGone(tx, [low, high]))) return 'ignored'
      const pair = applyFact(row ? toLockedPair(row) : unrelated(low, high), fact)
      await tx.$executeRaw`
        INSERT INTO contact_pairs (low, high, friends, low_blocks_high, high_blocks_low,
          low_restricts_high, high_restricts_low, version)
        VALUES (${low}, ${high}, ${pair.friends}, ${pair.lowBlocksHigh}, ${pair.highBlocksLow},
          ${pair.lowRestrictsHigh}, ${pair.highRestrictsLow}, ${version})
        ON DUPLICATE KEY UPDATE friends = VALUES(friends), low_blocks_high = VALUES(low_blocks_high),
          high_blocks_low = VALUES(high_blocks_low), low_restricts_high = VALUES(low_restricts_high),
          high_restricts_low = VALUES(high_restricts_low), version = VALUES(version)`
      return 'applied'
    })
  }

  /**
   * Stores a name, once, unless the account is deleted or a newer name is stored.
   *
   * @param version of the user's row; 0 when the event has none
   */
  applyName(applied: Applied, name: ContactName, version: number): Promise<Outcome> {
    return this.#once('contact_name_apply', applied, async (tx) => {
      // Raw for the same reasons as a pair.
      const [row] = await tx.$queryRaw<{ version: bigint; deleted_at: Date | null }[]>`
        SELECT version, deleted_at FROM contact_users WHERE user_id = ${name.userId} FOR UPDATE`
      if (row && (row.deleted_at || row.version > version)) return 'ignored'
      await tx.$executeRaw`
        INSERT INTO contact_users (user_id, username, display_name, profile_image_url, version)
        VALUES (${name.userId}, ${name.username}, ${name.displayName}, ${name.profileImageUrl}, ${version})
        ON DUPLICATE KEY UPDATE username = VALUES(username), display_name = VALUES(display_name),
          profile_image_url = VALUES(profile_image_url), version = VALUES(version)`
      if (row) await countProfileChange(tx, name.userId)
      return 'applied'
    })
  }

  /** Stores a moderator's mute, once, unless a newer decision is stored. */
  applyMute(applied: Applied, { userId, mutedUntil, decisionId }: Mute): Promise<Outcome> {
    return this.#once('contact_mute_apply', applied, async (tx) => {
      // Raw: the greater decision wins in the statement itself. The condition first: MySQL evaluates assignments from left
      // to right.
      await tx.$executeRaw`
        INSERT INTO muted_users (user_id, muted_until, decision_id) VALUES (${userId}, ${mutedUntil}, ${decisionId})
        ON DUPLICATE KEY UPDATE muted_until = IF(decision_id < VALUES(decision_id), VALUES(muted_until), muted_until),
          decision_id = GREATEST(decision_id, VALUES(decision_id))`
      return 'applied'
    })
  }

  /** Returns the mutes in force, and the current decisions about the given users. */
  async mutes(userIds: readonly number[]): Promise<Mute[]> {
    const known = { userId: { in: userIds.map(BigInt) } }
    const rows = await this.#mysql.run('contact_mutes', (db) =>
      db.mutedUser.findMany({ where: { OR: [{ mutedUntil: { gt: new Date() } }, known] } }),
    )
    return rows.map(({ userId, mutedUntil, decisionId }) => ({
      userId: Number(userId),
      mutedUntil,
      decisionId: Number(decisionId),
    }))
  }

  /** Records, once, that these users' requests have changed. */
  noteRequests(applied: Applied, userIds: readonly number[]): Promise<Outcome> {
    return this.#once('contact_requests', applied, async (tx) => {
      await countListChange(tx, userIds, 'friends')
      return 'applied'
    })
  }

  /** Returns whether one of these accounts has been deleted. */
  anyGone(userIds: readonly number[]): Promise<boolean> {
    return this.#mysql.run('contact_gone', (db) => anyGone(db, userIds))
  }

  /** Returns whether the event was applied, in order to skip the work that precedes its application. */
  async wasApplied({ consumer, event }: Applied): Promise<boolean> {
    return this.#mysql.run('inbox_look', (db) => wasApplied(db, consumer, event.event_id))
  }

  /** Returns the deleted accounts among the given ones. */
  async goneAmong(userIds: readonly number[]): Promise<Set<number>> {
    if (userIds.length === 0) return new Set()
    const rows = await this.#mysql.run('contact_gone', (db) =>
      db.contactUser.findMany({
        where: { userId: { in: [...userIds] }, deletedAt: { not: null } },
        select: { userId: true },
      }),
    )
    return new Set(rows.map(({ userId }) => Number(userId)))
  }

  /**
   * First step of erasing an account: its name is no longer returned, and nobody can add it to a room.
   */
  async markGone({ event }: Applied, userId: number): Promise<void> {
    await this.#mysql.transaction('contact_mark_gone', (tx) =>
      nameless(tx, userId, new Date(event.timestamp)),
    )
  }

  /** Last step of erasing an account: deletes its copies and confirms the erasure to the deletion saga. */
  applyErasure(applied: Applied, userId: number, deletionId: string): Promise<Outcome> {
    return this.#once('contact_erase', applied, async (tx) => {
      await nameless(tx, userId, new Date(applied.event.timestamp))
      await countProfileChange(tx, userId)
      await tx.contactPair.deleteMany({ where: { low: userId } })
      await tx.contactPair.deleteMany({ where: { high: userId } })
      await tx.contactSettings.deleteMany({ where: { userId } })
      await tx.mutedUser.deleteMany({ where: { userId } })
      await this.#outbox.enqueue(
        tx,
        chatDataErased,
        { user_id: userId, deletion_id: deletionId },
        { correlationId: applied.event.correlation_id },
      )
      return 'applied'
    })
  }

  async #once(operation: string, applied: Applied, effect: (tx: Tx) => Promise<Outcome>): Promise<Outcome> {
    const outcome = await this.#mysql.transaction(operation, async (tx) => {
      if (!(await once(tx, applied.consumer, applied.event.event_id))) return 'duplicate'
      return effect(tx)
    })
    this.#onCommit()
    return outcome
  }
}

/** A restriction must not reach the restricted user: only the lists of the user who set it have changed. */
async function countChangedLists(tx: Tx, fact: PairFact): Promise<void> {
  if ('restricter' in fact) {
    await countListChange(tx, [fact.restricter], 'friends')
    await countListChange(tx, [fact.restricter], 'rooms')
    return
  }
  const { low, high } = peopleOf(fact)
  await countListChange(tx, [low, high], 'friends')
}

async function nameless(tx: Tx, userId: number, at: Date): Promise<void> {
  // Raw: an upsert in one statement; the name may arrive at the same time.
  await tx.$executeRaw`
    INSERT INTO contact_users (user_id, username, display_name, profile_image_url, deleted_at)
    VALUES (${userId}, '', '', NULL, ${at})
    ON DUPLICATE KEY UPDATE username = '', display_name = '', profile_image_url = NULL, deleted_at = ${at}`
}

async function anyGone(db: Pick<Tx, 'contactUser'>, userIds: readonly number[]): Promise<boolean> {
  const gone = await db.contactUser.findFirst({
    where: { userId: { in: [...userIds] }, deletedAt: { not: null } },
    select: { userId: true },
  })
  return gone !== null
}

function toPair({ version: _, low, high, ...flags }: ContactPair): Pair {
  return { low: Number(low), high: Number(high), ...flags }
}

function toLockedPair(row: PairRow): Pair {
  return {
    low: Number(row.low),
    high: Number(row.high),
    friends: Boolean(row.friends),
    lowBlocksHigh: Boolean(row.low_blocks_high),
    highBlocksLow: Boolean(row.high_blocks_low),
    lowRestrictsHigh: Boolean(row.low_restricts_high),
    highRestrictsLow: Boolean(row.high_restricts_low),
  }
}
