import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyFact, mayAdd, mayMessage, type PairFact, unrelated } from './contacts.ts'

const nothing = unrelated(1, 2)
const facts: PairFact[] = [
  { kind: 'befriended', a: 2, b: 1 },
  { kind: 'unfriended', a: 1, b: 2 },
  { kind: 'blocked', blocker: 1, blocked: 2 },
  { kind: 'blocked', blocker: 2, blocked: 1 },
  { kind: 'unblocked', blocker: 1, blocked: 2 },
  { kind: 'unblocked', blocker: 2, blocked: 1 },
  { kind: 'restricted', restricter: 1, restricted: 2 },
  { kind: 'restricted', restricter: 2, restricted: 1 },
  { kind: 'unrestricted', restricter: 1, restricted: 2 },
  { kind: 'unrestricted', restricter: 2, restricted: 1 },
]

describe('a pair of users', () => {
  const history = fc.array(fc.constantFrom(...facts), { maxLength: 20 })
  const after = (past: PairFact[]) => past.reduce(applyFact, nothing)

  it('two users may message again only after the last block was lifted and they became friends again', () => {
    fc.assert(
      fc.property(history, (past) => {
        const lastIndex = (wanted: (fact: PairFact) => boolean) => past.findLastIndex(wanted)
        const befriended = lastIndex(({ kind }) => kind === 'befriended')
        const parted = lastIndex(({ kind }) => kind === 'unfriended' || kind === 'blocked')
        const blocks = (blocker: number) =>
          lastIndex((fact) => fact.kind === 'blocked' && fact.blocker === blocker) >
          lastIndex((fact) => fact.kind === 'unblocked' && fact.blocker === blocker)
        const allowed = befriended > parted && !blocks(1) && !blocks(2)
        expect(mayMessage(after(past))).toBe(allowed)
      }),
    )
  })

  it('duplicate events do not change a pair of users', () => {
    fc.assert(
      fc.property(history, (past) => {
        expect(after(past.flatMap((fact) => [fact, fact]))).toEqual(after(past))
      }),
    )
  })

  it('a pair is restricted by each user exactly until that user stops, regardless of friendship and blocks', () => {
    fc.assert(
      fc.property(history, (past) => {
        const restricts = (restricter: number) =>
          past.findLast((fact) => 'restricter' in fact && fact.restricter === restricter)?.kind ===
          'restricted'
        const { lowRestrictsHigh, highRestrictsLow } = after(past)
        expect([lowRestrictsHigh, highRestrictsLow]).toEqual([restricts(1), restricts(2)])
      }),
    )
  })

  it('a blocked pair cannot add each other to groups, regardless of the setting for strangers', () => {
    expect(mayAdd(undefined, false)).toBe(false)
    expect(mayAdd(undefined, true)).toBe(true)
    expect(mayAdd(applyFact(nothing, facts[0]!), false)).toBe(true)
    for (const block of facts.slice(2, 4)) expect(mayAdd(applyFact(nothing, block), true)).toBe(false)
  })
})
