/** The user data that rooms need, copied from other services' events. Pure rules without a store. */
export interface ContactName {
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly profileImageUrl: string | null
  /** Whether the viewer restricts this user; false without a viewer. */
  readonly isRestricted?: boolean
}

/** Which of two users keeps the other at a distance: no push, typing, read position or presence between them. */
export interface Restrictions {
  readonly lowRestrictsHigh: boolean
  readonly highRestrictsLow: boolean
}

/** The relation of two users. */
export interface Pair extends Restrictions {
  readonly low: number
  readonly high: number
  readonly friends: boolean
  readonly lowBlocksHigh: boolean
  readonly highBlocksLow: boolean
}

export type PairFact = (
  | { readonly kind: 'befriended'; readonly a: number; readonly b: number }
  | { readonly kind: 'unfriended'; readonly a: number; readonly b: number }
  | { readonly kind: 'blocked'; readonly blocker: number; readonly blocked: number }
  | { readonly kind: 'unblocked'; readonly blocker: number; readonly blocked: number }
  | { readonly kind: 'restricted' | 'unrestricted'; readonly restricter: number; readonly restricted: number }
  /** The complete relation, independent of earlier events. */
  | { readonly kind: 'stated'; readonly pair: Pair }
) & {
  /**
   * Version of the pair's row in friend-service, which orders the changes of a pair. Undefined for events of
   * older publishers, which are ordered by the topic.
   */
  readonly version?: number | undefined
}

/** Returns the pair of two users without any relation. */
export function unrelated(low: number, high: number): Pair {
  return { low, high, friends: false, lowBlocksHigh: false, highBlocksLow: false, ...noRestrictions }
}

export const noRestrictions: Restrictions = { lowRestrictsHigh: false, highRestrictsLow: false }

const UNKNOWN_NAME = 'unknown user'

/** Returns the placeholder for an unknown or deleted user. */
export function unknownContact(userId: number): ContactName {
  return { userId, username: UNKNOWN_NAME, displayName: UNKNOWN_NAME, profileImageUrl: null }
}

/** Returns the two users of a fact, in the order of the pair's row. */
export function peopleOf(fact: PairFact): { low: number; high: number } {
  if (fact.kind === 'stated') return fact.pair
  const [one, other] = 'a' in fact ? [fact.a, fact.b] : usersOfFlag(fact)
  return { low: Math.min(one, other), high: Math.max(one, other) }
}

function usersOfFlag(fact: Exclude<PairFact, { kind: 'stated' | 'befriended' | 'unfriended' }>) {
  return 'blocker' in fact
    ? ([fact.blocker, fact.blocked] as const)
    : ([fact.restricter, fact.restricted] as const)
}

/** Returns the restrictions after the fact; a side that no fact has mentioned stays unknown. */
export function applyRestriction(known: Partial<Restrictions>, fact: PairFact): Partial<Restrictions> {
  if (fact.kind === 'stated') {
    const { lowRestrictsHigh, highRestrictsLow } = fact.pair
    return { lowRestrictsHigh, highRestrictsLow }
  }
  if (!('restricter' in fact)) return known
  const side = fact.restricter < fact.restricted ? 'lowRestrictsHigh' : 'highRestrictsLow'
  return { ...known, [side]: fact.kind === 'restricted' }
}

/** Returns the pair after the fact. A block ends the friendship; lifting it does not restore the friendship. */
export function applyFact(pair: Pair, fact: PairFact): Pair {
  if (fact.kind === 'stated') return fact.pair
  if (fact.kind === 'befriended') return { ...pair, friends: true }
  if (fact.kind === 'unfriended') return { ...pair, friends: false }
  if ('restricter' in fact) return { ...pair, ...applyRestriction(pair, fact) }
  const blocks = fact.kind === 'blocked'
  const byLow = fact.blocker === pair.low
  return {
    ...pair,
    friends: blocks ? false : pair.friends,
    lowBlocksHigh: byLow ? blocks : pair.lowBlocksHigh,
    highBlocksLow: byLow ? pair.highBlocksLow : blocks,
  }
}

/** Returns whether the fact separates the two; undefined when it does not determine that. */
export function partsPair(fact: PairFact): boolean | undefined {
  // Lifting a block does not restore the friendship.
  if (fact.kind === 'unblocked' || 'restricter' in fact) return undefined
  return fact.kind === 'stated' ? !mayMessage(fact.pair) : fact.kind !== 'befriended'
}

/** Returns whether one of the two has blocked the other. */
function isBlocked(pair: Pair | undefined): boolean {
  return pair !== undefined && (pair.lowBlocksHigh || pair.highBlocksLow)
}

/** Returns whether the two may message each other and share a direct room. */
export function mayMessage(pair: Pair | undefined): boolean {
  return pair?.friends === true && !isBlocked(pair)
}

/** Returns whether one of the pair may add the other to a group. */
export function mayAdd(pair: Pair | undefined, strangersMayAdd: boolean): boolean {
  return !isBlocked(pair) && (strangersMayAdd || pair?.friends === true)
}
