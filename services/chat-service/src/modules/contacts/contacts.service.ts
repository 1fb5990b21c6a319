import { pairKey } from '@bigtech/contracts'
import { upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import type { Registry } from 'prom-client'
import { SwrCache } from '../../swr-cache.ts'
import {
  applyRestriction,
  type ContactName,
  mayAdd,
  mayMessage,
  noRestrictions,
  type Pair,
  type PairFact,
  partsPair,
  peopleOf,
  type Restrictions,
  unknownContact,
} from './contacts.ts'

/** The store behind the contacts. */
export interface ContactStore {
  names(userIds: readonly number[], viewerId: number | null): Promise<ContactName[]>
  pairsOf(userId: number, otherIds: readonly number[]): Promise<ReadonlyMap<number, Pair>>
  presenceViewersOf(userId: number): Promise<readonly number[]>
  openToStrangers(userIds: readonly number[]): Promise<ReadonlySet<number>>
  goneAmong(userIds: readonly number[]): Promise<ReadonlySet<number>>
  saveStrangersMayAdd(userId: number, allowed: boolean, at: Date): Promise<void>
}

const FRESH_MS = 30_000
/** Wait for the copy to follow its events, so that a user whose request was just accepted is not refused. */
const CATCH_UP_MS = 600
const CATCH_UP_STEP_MS = 60

interface RecentPair {
  readonly version: number
  readonly parted: boolean
  readonly restrictions: Partial<Restrictions>
}

/** Names, friendships, blocks and restrictions as known to this service. */
export class ContactService {
  readonly #store: ContactStore
  readonly #friends: SwrCache<Pair>
  readonly #restrictions: SwrCache<Restrictions>
  /**
   * The newest event per pair: immediately correct on every process, even before the copy in MySQL has been
   * updated.
   */
  readonly #recent = new LRUCache<string, RecentPair>(upToEntries(100_000))

  /** Accounts whose deletion this process has received. */
  readonly #gone = new LRUCache<number, true>(upToEntries(20_000))

  constructor(store: ContactStore, metrics: Registry) {
    this.#store = store
    this.#friends = new SwrCache({ name: 'friends', max: 100_000, freshMs: FRESH_MS }, metrics)
    this.#restrictions = new SwrCache({ name: 'restrictions', max: 100_000, freshMs: FRESH_MS }, metrics)
  }

  /** Returns a name for every id. Unknown and deleted users, and users who block the viewer, look the same. */
  async names(userIds: readonly number[], viewerId: number): Promise<Map<number, ContactName>> {
    const known = await this.#store.names([...new Set(userIds)], viewerId)
    const found = new Map(known.map((name) => [name.userId, name]))
    return new Map(userIds.map((userId) => [userId, found.get(userId) ?? unknownContact(userId)]))
  }

  /** Returns the name stored in messages; the placeholder for a deleted account. */
  async nameOf(userId: number): Promise<string> {
    const [known] = await this.#store.names([userId], null)
    if (known) return known.username
    return (await this.#store.goneAmong([userId])).has(userId) ? '' : unknownContact(userId).username
  }

  /** Returns whether the two may message each other; cached, because every direct message checks it. */
  async mayMessage(userId: number, peerId: number): Promise<boolean> {
    const key = pairKey(userId, peerId)
    const parted = () => this.#recent.get(key)?.parted || this.#gone.has(userId) || this.#gone.has(peerId)
    if (parted()) return false
    const friends = await this.#friends.get(key, async () => {
      const pair = (await this.#store.pairsOf(userId, [peerId])).get(peerId)
      // Caches positive results only: a negative one is rare and may change at any moment.
      return pair && mayMessage(pair) ? pair : undefined
    })
    return friends !== undefined && !parted()
  }

  /** Returns which of the two restricts the other; cached, because every read and typing signal checks it. */
  async restrictions(userId: number, peerId: number): Promise<{ byUser: boolean; byPeer: boolean }> {
    const key = pairKey(userId, peerId)
    const stored = await this.#restrictions.get(
      key,
      async () => (await this.#store.pairsOf(userId, [peerId])).get(peerId) ?? noRestrictions,
    )
    const known = { ...noRestrictions, ...stored, ...this.#recent.get(key)?.restrictions }
    const [byUser, byPeer] =
      userId < peerId
        ? [known.lowRestrictsHigh, known.highRestrictsLow]
        : [known.highRestrictsLow, known.lowRestrictsHigh]
    return { byUser, byPeer }
  }

  /** Returns the friends who may see the user's presence: not those of whom one restricts the other. */
  async presenceViewersOf(userId: number): Promise<number[]> {
    const viewers = await this.#store.presenceViewersOf(userId)
    return viewers.filter((viewer) => {
      const recent = this.#recent.get(pairKey(userId, viewer))?.restrictions
      return !recent?.lowRestrictsHigh && !recent?.highRestrictsLow
    })
  }

  /** Like `mayMessage`, but waits briefly for the copy to follow a recent event. */
  async areFriendsByNow(userId: number, peerId: number): Promise<boolean> {
    return (
      (await untilEmpty(async () => ((await this.mayMessage(userId, peerId)) ? [] : [peerId]))).length === 0
    )
  }

  /** Returns the users whom this user may not add to a group. */
  refusedFor(userId: number, otherIds: readonly number[]): Promise<number[]> {
    return untilEmpty(async () => {
      const [pairs, open, gone] = await Promise.all([
        this.#store.pairsOf(userId, otherIds),
        this.#store.openToStrangers(otherIds),
        this.#store.goneAmong(otherIds),
      ])
      return otherIds.filter((id) => gone.has(id) || !mayAdd(pairs.get(id), open.has(id)))
    })
  }

  async strangersMayAdd(userId: number): Promise<boolean> {
    return (await this.#store.openToStrangers([userId])).has(userId)
  }

  async setStrangersMayAdd(userId: number, allowed: boolean): Promise<void> {
    await this.#store.saveStrangersMayAdd(userId, allowed, new Date())
  }

  /** Records the deletion of an account in this process. */
  noteGone(userId: number): void {
    this.#gone.set(userId, true)
  }

  /** Records a change of a pair in this process. */
  noteFact(fact: PairFact): void {
    const { low, high } = peopleOf(fact)
    const key = pairKey(low, high)
    const recent = this.#recent.get(key)
    const version = fact.version ?? recent?.version ?? 0
    if (recent && version < recent.version) return
    const parted = partsPair(fact) ?? recent?.parted ?? false
    const restrictions = applyRestriction(recent?.restrictions ?? {}, fact)
    this.#recent.set(key, { version, parted, restrictions })
    this.#friends.drop(key)
    this.#restrictions.drop(key)
  }
}

/** Retries until the check returns no refusals, for `CATCH_UP_MS` at most; the time does not depend on the reason. */
async function untilEmpty(check: () => Promise<number[]>): Promise<number[]> {
  const deadline = Date.now() + CATCH_UP_MS
  for (;;) {
    const refused = await check()
    if (refused.length === 0 || Date.now() >= deadline) return refused
    await new Promise((resolve) => setTimeout(resolve, CATCH_UP_STEP_MS))
  }
}
