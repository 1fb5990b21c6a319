/** What rooms need to know of people, kept from other services' events. Rules without any store. */
export interface ContactName {
  readonly userId: number
  readonly username: string
  readonly displayName: string
  readonly profileImageUrl: string | null
}

/** What is between two people. */
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
  /** All there is between the two, whatever was known before. */
  | { readonly kind: 'stated'; readonly pair: Pair }
) & {
  /**
   * Of the pair's row in friend-service: the order of what happens to a pair. Undefined for events of older
   * publishers, whose order is that of the topic.
   */
  readonly version?: number | undefined
}

const UNKNOWN_NAME = 'unknown user'

/** How a copy shows somebody whom it does not know, or not any more. */
export function unknownContact(userId: number): ContactName {
  return { userId, username: UNKNOWN_NAME, displayName: UNKNOWN_NAME, profileImageUrl: null }
}

/** The two people of a fact, in the order of the pair's row. */
export function peopleOf(fact: PairFact): { low: number; high: number } {
  if (fact.kind === 'stated') return fact.pair
  const [one, other] =
    fact.kind === 'befriended' || fact.kind === 'unfriended' ? [fact.a, fact.b] : [fact.blocker, fact.blocked]
  return { low: Math.min(one, other), high: Math.max(one, other) }
}

/** The pair after the fact. A block ends the friendship; taking it back does not restore it. */
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

/** Whether the fact leaves the two apart; undefined when it says nothing about that. */
export function partsPair(fact: PairFact): boolean | undefined {
  // Taking a block back does not restore the friendship.
  if (fact.kind === 'unblocked') return undefined
  return fact.kind === 'stated' ? !mayMessage(fact.pair) : fact.kind !== 'befriended'
}

/** Whether one of the two has blocked the other. */
function isBlocked(pair: Pair | undefined): boolean {
  return pair !== undefined && (pair.lowBlocksHigh || pair.highBlocksLow)
}

/** Whether the two may write to each other, and share a direct room. */
export function mayMessage(pair: Pair | undefined): boolean {
  return pair?.friends === true && !isBlocked(pair)
}

/** Whether somebody may be added to a group by the other one of the pair. */
export function mayAdd(pair: Pair | undefined, strangersMayAdd: boolean): boolean {
  return !isBlocked(pair) && (strangersMayAdd || pair?.friends === true)
}
