import { uuidv7 } from '@bigtech/contracts'
import { Problem, type Service } from '@bigtech/service-kit'
import type { Registry } from 'prom-client'
import { SwrCache } from '../../swr-cache.ts'
import type { Membership, MembershipChange, MembershipReader } from './membership.ports.ts'
import type { MembershipRecord } from './membership.repository.ts'
import { FOREVER, muteAt } from './membership.ts'

/** The store behind the memberships. */
export interface MembershipStore {
  roomExists(roomId: number): Promise<boolean>
  memberships(roomIds: readonly number[], userIds: readonly number[]): Promise<MembershipRecord[]>
  membershipsOf(userId: number): Promise<readonly MembershipRecord[]>
  memberIds(roomId: number): Promise<number[]>
  roomIdsOf(userId: number): Promise<number[]>
  present(roomId: number, userIds: readonly number[]): Promise<number[]>
}

/** Hints to the other processes, faster than the event. */
export interface Hints {
  /** Resolves when Redis has accepted the hint; never rejects. */
  hint(channel: `chat:${string}`, payload: string): Promise<unknown>
  onHint(channel: `chat:${string}`, listener: (payload: string) => void): void
}

/** Decides whether two users may message each other, from memory where possible. */
export interface MessagingPolicy {
  mayMessage(userId: number, peerId: number): Promise<boolean>
}

/** Users muted by moderators. */
export interface MutedAccounts {
  /** Rejects muted users. @throws Problem ACCOUNT_MUTED */
  assertNotMuted(userId: number): void
}

interface Hint {
  readonly from: string
  readonly room_id: number
  readonly user_ids: readonly number[]
  readonly kind: 'members' | 'settings'
}

const CHANNEL = 'chat:membership'
const FRESH_MS = 60_000

/**
 * Memberships, cached in the process. Every process learns of a change twice: quickly by a hint, reliably by
 * its event. Both only invalidate the cache, so a stale event cannot temporarily restore a removed member.
 */
export class MembershipService implements MembershipReader {
  readonly #store: MembershipStore
  readonly #hints: Hints
  readonly #policy: MessagingPolicy
  readonly #muted: MutedAccounts
  readonly #log: Service['log']
  readonly #memberships: SwrCache<MembershipRecord>
  readonly #memberIds: SwrCache<readonly number[]>
  readonly #roomIds: SwrCache<readonly number[]>
  readonly #listeners: ((change: MembershipChange) => void)[] = []
  readonly #settingsListeners: ((roomId: number, userIds: readonly number[]) => void)[] = []
  /** The last pending change of each room: the changes of a room are announced in sequence. */
  readonly #turns = new Map<number, Promise<void>>()
  readonly #processId = uuidv7()

  constructor(options: {
    store: MembershipStore
    hints: Hints
    policy: MessagingPolicy
    muted: MutedAccounts
    log: Service['log']
    metrics: Registry
  }) {
    const { store, hints, policy, muted, log, metrics } = options
    this.#store = store
    this.#hints = hints
    this.#policy = policy
    this.#muted = muted
    this.#log = log
    const sizeOf = (ids: readonly number[]) => ids.length
    this.#memberships = new SwrCache({ name: 'membership', max: 100_000, freshMs: FRESH_MS }, metrics)
    this.#memberIds = new SwrCache(
      { name: 'member_ids', max: 20_000, maxSize: 2_000_000, sizeOf, freshMs: FRESH_MS },
      metrics,
    )
    this.#roomIds = new SwrCache(
      { name: 'room_ids', max: 20_000, maxSize: 2_000_000, sizeOf, freshMs: FRESH_MS },
      metrics,
    )
    hints.onHint(CHANNEL, (payload) => this.#onHint(payload))
  }

  async require(roomId: number, userId: number): Promise<Membership> {
    const membership = await this.find(roomId, userId)
    if (membership) return membership
    throw new Problem((await this.#store.roomExists(roomId)) ? 'NOT_A_MEMBER' : 'ROOM_NOT_FOUND')
  }

  async find(roomId: number, userId: number): Promise<Membership | undefined> {
    const [membership] = await this.#findAll([keyOf(roomId, userId)])
    return membership
  }

  async ofRoom(roomId: number): Promise<Membership[]> {
    return this.#findAll((await this.memberIds(roomId)).map((userId) => keyOf(roomId, userId)))
  }

  async ofUser(userId: number): Promise<Membership[]> {
    const roomIds = await this.#roomIds.get(String(userId), () => this.#store.roomIdsOf(userId))
    const keys = (roomIds ?? []).map((roomId) => keyOf(roomId, userId))
    return this.#findAll(keys, (missing) =>
      missing.length === keys.length
        ? this.#store.membershipsOf(userId)
        : this.#store.memberships(...idsOf(missing)),
    )
  }

  /**
   * @param keys of one room, or of one user
   * @param read returns at least the memberships of the missing keys
   */
  async #findAll(
    keys: readonly string[],
    read = (missing: readonly string[]): Promise<readonly MembershipRecord[]> =>
      this.#store.memberships(...idsOf(missing)),
  ): Promise<Membership[]> {
    const records = await this.#memberships.getMany(keys, async (missing) => {
      const found = await read(missing)
      return new Map(found.map((record) => [keyOf(record.roomId, record.userId), record]))
    })
    const now = new Date()
    return [...records.values()].map(({ mutedUntil, ...membership }) => ({
      ...membership,
      muted: muteAt(mutedUntil, now).muted,
    }))
  }

  async memberIds(roomId: number): Promise<readonly number[]> {
    const read = async () => {
      const ids = await this.#store.memberIds(roomId)
      return ids.length > 0 ? ids : undefined
    }
    return (await this.#memberIds.get(String(roomId), read)) ?? []
  }

  onChange(listener: (change: MembershipChange) => void): void {
    this.#listeners.push(listener)
  }

  pendingChange(roomId: number): Promise<void> | undefined {
    return this.#turns.get(roomId)
  }

  onSettingsChange(listener: (roomId: number, userIds: readonly number[]) => void): void {
    this.#settingsListeners.push(listener)
  }

  async assertMayPost(membership: Membership): Promise<void> {
    if (membership.role === 'member' && membership.rules.posting === 'admins')
      throw new Problem('ANNOUNCEMENTS_ONLY')
    await this.assertMaySend(membership)
  }

  async assertMaySend({ userId, directPeerId, silencedUntil }: Membership): Promise<void> {
    this.#muted.assertNotMuted(userId)
    if (silencedUntil && silencedUntil > new Date()) {
      const time = silencedUntil >= FOREVER ? 'until further notice' : `until ${silencedUntil.toISOString()}`
      throw new Problem('MEMBER_SILENCED', { detail: `You have been muted in this room ${time}.` })
    }
    if (directPeerId === null) return
    if (!(await this.#policy.mayMessage(userId, directPeerId))) throw new Problem('DIRECT_MESSAGE_REFUSED')
  }

  /**
   * Processes a committed change of this process. Resolves when it is visible here and the other processes are told: what is sent
   * afterwards reaches them later.
   */
  async committed(change: {
    members: ReadonlyMap<number, ReadonlySet<number>>
    settings: ReadonlyMap<number, ReadonlySet<number>>
  }): Promise<void> {
    const tell = (kind: Hint['kind'], room_id: number, user_ids: readonly number[]) =>
      this.#hints.hint(
        CHANNEL,
        JSON.stringify({ from: this.#processId, room_id, user_ids, kind } satisfies Hint),
      )
    for (const [roomId, userIds] of change.settings) {
      this.settingsChanged(roomId, [...userIds])
      await tell('settings', roomId, [...userIds])
    }
    for (const [roomId, userIds] of change.members) {
      await Promise.all([tell('members', roomId, [...userIds]), this.membersChanged(roomId, [...userIds])])
    }
  }

  /** Invalidates the cached rules of a room. */
  async rulesChanged(roomId: number): Promise<void> {
    this.settingsChanged(roomId, await this.memberIds(roomId))
  }

  /** Announces changed roles or settings of members. */
  settingsChanged(roomId: number, userIds: readonly number[]): void {
    for (const userId of userIds) this.#memberships.drop(keyOf(roomId, userId))
    for (const listener of this.#settingsListeners) listener(roomId, userIds)
  }

  /**
   * Handles joining or leaving members.
   * @param said content of the event, for use while MySQL is unavailable
   */
  membersChanged(roomId: number, userIds: readonly number[], said?: MembershipChange): Promise<void> {
    this.#forget(roomId, userIds)
    const turn = (this.#turns.get(roomId) ?? Promise.resolve()).then(async () => {
      const change = await this.#whatIsTrue(roomId, userIds, said)
      if (change) for (const listener of this.#listeners) this.#callListener(listener, change)
    })
    this.#turns.set(roomId, turn)
    return turn.finally(() => {
      if (this.#turns.get(roomId) === turn) this.#turns.delete(roomId)
    })
  }

  #forget(roomId: number, userIds: readonly number[]): void {
    this.#memberIds.drop(String(roomId))
    for (const userId of userIds) {
      this.#memberships.drop(keyOf(roomId, userId))
      this.#roomIds.drop(String(userId))
    }
  }

  async #whatIsTrue(
    roomId: number,
    userIds: readonly number[],
    said: MembershipChange | undefined,
  ): Promise<MembershipChange | undefined> {
    try {
      const present = new Set(await this.#store.present(roomId, userIds))
      return {
        roomId,
        added: userIds.filter((userId) => present.has(userId)),
        removed: userIds.filter((userId) => !present.has(userId)),
      }
    } catch (err) {
      this.#log.warn({ err, room_id: roomId }, 'membership lookup failed')
      return said
    }
  }

  #callListener(listener: (change: MembershipChange) => void, change: MembershipChange): void {
    try {
      listener(change)
    } catch (err) {
      this.#log.error({ err, room_id: change.roomId }, 'membership listener failed')
    }
  }

  #onHint(payload: string): void {
    let hint: Hint
    try {
      hint = JSON.parse(payload) as Hint
    } catch {
      return
    }
    if (hint.from === this.#processId) return
    if (hint.kind === 'settings') this.settingsChanged(hint.room_id, hint.user_ids)
    else void this.membersChanged(hint.room_id, hint.user_ids)
  }
}

/** Returns the rooms and the users of these keys. */
function idsOf(keys: readonly string[]): [roomIds: number[], userIds: number[]] {
  const pairs = keys.map((key) => key.split(':').map(Number) as [number, number])
  const ids = (side: 0 | 1) => [...new Set(pairs.map((pair) => pair[side]))]
  return [ids(0), ids(1)]
}

function keyOf(roomId: number, userId: number): string {
  return `${roomId}:${userId}`
}
