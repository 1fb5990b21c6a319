import { pairKey } from '@bigtech/contracts'
import { LRUCache } from 'lru-cache'
import type { Registry } from 'prom-client'
import { SwrCache } from '../../swr-cache.ts'
import {
  type ContactName,
  mayAdd,
  mayMessage,
  type Pair,
  type PairFact,
  partsPair,
  peopleOf,
  unknownContact,
} from './contacts.ts'

/** What contacts are read from. */
export interface ContactStore {
  names(userIds: readonly number[], viewerId: number | null): Promise<ContactName[]>
  pairsOf(userId: number, otherIds: readonly number[]): Promise<ReadonlyMap<number, Pair>>
  openToStrangers(userIds: readonly number[]): Promise<ReadonlySet<number>>
  goneAmong(userIds: readonly number[]): Promise<ReadonlySet<number>>
  saveStrangersMayAdd(userId: number, allowed: boolean, at: Date): Promise<void>
}

const FRESH_MS = 30_000
/** The copy follows its events within milliseconds: whoever was just accepted is not refused for that. */
const CATCH_UP_MS = 600
const CATCH_UP_STEP_MS = 60

/** Names, friendships and blocks as this service knows them. */
export class ContactService {
  readonly #store: ContactStore
  readonly #friends: SwrCache<Pair>
  /**
   * What the newest event of a pair said: right on every process at once, also where the copy in MySQL
   * has not followed yet.
   */
  readonly #heard = new LRUCache<string, { readonly version: number; readonly parted: boolean }>({
    max: 100_000,
  })

  /** Accounts whose deletion this process has heard of. */
  readonly #gone = new LRUCache<number, true>({ max: 20_000 })

  constructor(store: ContactStore, metrics: Registry) {
    this.#store = store
    this.#friends = new SwrCache({ name: 'friends', max: 100_000, freshMs: FRESH_MS }, metrics)
  }

  /** A name for every id. Unknown and deleted people, and those who block the viewer, look the same. */
  async names(userIds: readonly number[], viewerId: number): Promise<Map<number, ContactName>> {
    const known = await this.#store.names([...new Set(userIds)], viewerId)
    const found = new Map(known.map((name) => [name.userId, name]))
    return new Map(userIds.map((userId) => [userId, found.get(userId) ?? unknownContact(userId)]))
  }

  /** As messages carry it: none for an account that is gone. */
  async nameOf(userId: number): Promise<string> {
    const [known] = await this.#store.names([userId], null)
    if (known) return known.username
    return (await this.#store.goneAmong([userId])).has(userId) ? '' : unknownContact(userId).username
  }

  /** From memory if it can be: it is asked for with every direct message. */
  async mayMessage(userId: number, peerId: number): Promise<boolean> {
    const key = pairKey(userId, peerId)
    const parted = () => this.#heard.get(key)?.parted || this.#gone.has(userId) || this.#gone.has(peerId)
    if (parted()) return false
    const friends = await this.#friends.get(key, async () => {
      const pair = (await this.#store.pairsOf(userId, [peerId])).get(peerId)
      // Only a yes is remembered: a no may be over any moment, and is rare.
      return pair && mayMessage(pair) ? pair : undefined
    })
    return friends !== undefined && !parted()
  }

  /** As `mayMessage`, but waits a moment for the copy to follow what has just happened. */
  async areFriendsByNow(userId: number, peerId: number): Promise<boolean> {
    return (
      (await untilEmpty(async () => ((await this.mayMessage(userId, peerId)) ? [] : [peerId]))).length === 0
    )
  }

  /** Those whom this person may not add to a group. */
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

  /** What every process is told of an account that is deleted. */
  noteGone(userId: number): void {
    this.#gone.set(userId, true)
  }

  /** What every process is told of two people, for its memory. */
  noteFact(fact: PairFact): void {
    const { low, high } = peopleOf(fact)
    const key = pairKey(low, high)
    const heard = this.#heard.get(key)
    const version = fact.version ?? heard?.version ?? 0
    if (heard && version < heard.version) return
    const parted = partsPair(fact) ?? heard?.parted ?? false
    this.#heard.set(key, { version, parted })
    this.#friends.drop(key)
  }
}

/** Asks until nobody is refused, for a moment; as long for one reason as for another. */
async function untilEmpty(check: () => Promise<number[]>): Promise<number[]> {
  const deadline = Date.now() + CATCH_UP_MS
  for (;;) {
    const refused = await check()
    if (refused.length === 0 || Date.now() >= deadline) return refused
    await new Promise((resolve) => setTimeout(resolve, CATCH_UP_STEP_MS))
  }
}
