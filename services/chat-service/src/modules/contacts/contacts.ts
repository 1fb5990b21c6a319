/** The user data that rooms need, copied from other services' events. Pure rules without a store. */
export interface ContactName {
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly profileImageUrl: string | null
}

/** The relation of two users. */
export interface Pair {
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
  /** The complete relation, independent of earlier events. */
  | { readonly kind: 'stated'; readonly pair: Pair }
) & {
  /**
   * Version of the pair's row in friend-service, which orders the changes of a pair. Undefined for events of
   * older publishers, which are ordered by the topic.
   */
  readonly version?: number | undefined
}

const UNKNOWN_NAME = 'unknown user'

/** Returns the placeholder for an unknown or deleted user. */
export function unknownContact(userId: number): ContactName {
  return { userId, username: UNKNOWN_NAME, displayName: UNKNOWN_NAME, profileImageUrl: null }
}

/** Returns the two users of a fact, in the order of the pair's row. */
export function peopleOf(fact: PairFact): { low: number; high: number } {
  if (fact.kind === 'stated') return fact.pair
  const [one, other] =
    fact.kind === 'befriended' || fact.kind === 'unfriended' ? [fact.a, fact.b] : [fact.blocker, fact.blocked]
  return { low: Math.min(one, other), high: Math.max(one, other) }
}

/** Returns the pair after the fact. A block ends the friendship; lifting it does not restore the friendship. */
export function applyFact(pair: Pair, fact: PairFact): Pair {
  if (fact.kind === 'stated') return fact.pair
  if (fact.kind === 'befriended') return { ...pair, friends: true }
  if (fact.kind === 'unfriended') return { ...pair, friends: false }
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
  if (fact.kind === 'unblocked') return undefined
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
