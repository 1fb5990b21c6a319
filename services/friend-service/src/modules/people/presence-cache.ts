import type { Presence } from '@bigtech/contracts'
import { startAtZero, upToEntries } from '@bigtech/service-kit'
import { LRUCache } from 'lru-cache'
import { Counter, type Registry } from 'prom-client'

/** A user's presence as user-service shows it to one viewer; null: hidden from the viewer. */
export interface ShownPresence {
  readonly online: boolean | null
  readonly lastSeenAt: string | null
}

interface Entry {
  readonly shown: ShownPresence
  readonly askedAt: number
  /** The states of user and viewer that the response belongs to; an event replaces them. */
  readonly ofUser: object
  readonly ofViewer: object
}

/** About 20 MB. */
const PAIRS = 100_000
const USERS = 100_000
/** As long as a sign of life counts: bounds what a lost event, or an outage of Kafka, leaves wrong. */
const SHOWN_MS = 60_000
/** user-service learns of a new friendship by the same event as we do, so it may still hide a new friend. */
const HIDDEN_MS = 5_000

/**
 * Presence of friends, per viewer because user-service decides who sees whom. Events drop what they change. A response
 * that was requested before an event is not cached.
 */
export class PresenceCache {
  readonly #pairs = new LRUCache<string, Entry>(upToEntries(PAIRS))
  readonly #users = new LRUCache<number, object>(upToEntries(USERS))
  readonly #viewers = new LRUCache<number, object>(upToEntries(USERS))
  readonly #requests: Counter<'cache' | 'result'>
  readonly #now: () => number

  constructor(registry: Registry, now: () => number = () => performance.now()) {
    this.#now = now
    this.#requests = new Counter({
      name: 'cache_requests_total',
      help: 'Cache requests, by whether the value was cached.',
      labelNames: ['cache', 'result'],
      registers: [registry],
    })
    startAtZero(this.#requests, { cache: ['presence'], result: ['hit', 'miss'] })
  }

  /** Returns what is cached of the users, by id. */
  findMany(viewerId: number, userIds: readonly number[]): Map<number, ShownPresence> {
    const found = new Map<number, ShownPresence>()
    const seenAt = new Date().toISOString()
    for (const userId of userIds) {
      const shown = this.#find(viewerId, userId)
      if (shown) found.set(userId, shown.online ? { ...shown, lastSeenAt: seenAt } : shown)
    }
    this.#requests.inc({ cache: 'presence', result: 'hit' }, found.size)
    this.#requests.inc({ cache: 'presence', result: 'miss' }, userIds.length - found.size)
    return found
  }

  /** Call before asking user-service. Returns a function that caches the response. */
  expect(viewerId: number, userIds: readonly number[]): (presences: readonly Presence[]) => void {
    const askedAt = this.#now()
    const ofViewer = stateIn(this.#viewers, viewerId)
    const states = new Map(userIds.map((userId) => [userId, stateIn(this.#users, userId)]))
    return (presences) => {
      for (const { user_id: userId, online, last_seen_at: lastSeenAt } of presences) {
        const ofUser = states.get(userId)
        if (ofUser)
          this.#pairs.set(keyOf(viewerId, userId), {
            ...{ askedAt, ofUser, ofViewer },
            shown: { online, lastSeenAt },
          })
      }
    }
  }

  /** Drops the presence of a user who went online or offline. */
  statusChanged(userId: number): void {
    this.#users.delete(userId)
  }

  /** Drops the presence of a user who may have changed who sees it, and what the user sees of others in return. */
  visibilityChanged(userId: number): void {
    this.#users.delete(userId)
    this.#viewers.delete(userId)
  }

  #find(viewerId: number, userId: number): ShownPresence | undefined {
    const entry = this.#pairs.get(keyOf(viewerId, userId))
    if (!entry) return undefined
    const { shown, askedAt, ofUser, ofViewer } = entry
    if (this.#users.get(userId) !== ofUser || this.#viewers.get(viewerId) !== ofViewer) return undefined
    const validMs = shown.online === null ? HIDDEN_MS : SHOWN_MS
    return this.#now() - askedAt < validMs ? shown : undefined
  }
}

function keyOf(viewerId: number, userId: number): string {
  return `${viewerId}:${userId}`
}

function stateIn(states: LRUCache<number, object>, id: number): object {
  const known = states.get(id)
  if (known) return known
  const state = {}
  states.set(id, state)
  return state
}
