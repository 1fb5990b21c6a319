import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MessageRecord, Version } from '../message.ts'
import { type Change, type ChangeBody, decide, fold, replacedBy } from './change.ts'

const message: MessageRecord = {
  messageId: '1:000000000001',
  roomId: 1,
  seq: 1,
  userId: 1,
  username: 'a',
  messageType: 'text',
  createdAt: 1_000,
  clientMessageId: null,
  replyTo: null,
  isForwarded: false,
  system: null,
  cseq: 0,
  rev: 0,
  content: 'start',
  mentions: [],
  attachment: null,
  file: null,
  editedAt: null,
  isDeleted: false,
  reactions: [],
  pinnedAt: null,
}

const body = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('edited' as const),
      content: fc.string(),
      mentions: fc.constant([]),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'deleted' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('reaction_added' as const, 'reaction_removed' as const),
      emoji: fc.constantFrom(...Array.from({ length: 25 }, (_, n) => String.fromCodePoint(0x1f600 + n))),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('pinned' as const, 'unpinned' as const) }) },
) as fc.Arbitrary<ChangeBody>
const step = fc.record({ body, userId: fc.integer({ min: 1, max: 4 }) })

/** Returns the log that results from deciding each requested change on the current state. */
function logOf(steps: readonly { body: ChangeBody; userId: number }[]): Change[] {
  const log: Change[] = []
  let now = message
  for (const { body, userId } of steps) {
    const intent = {
      messageId: message.messageId,
      userId: body.kind === 'edited' ? 1 : userId,
      mayModerate: true,
      body,
    }
    try {
      if (!decide(now, intent, 2_000, () => 0)) continue
    } catch {
      continue
    }
    const change = {
      roomId: 1,
      cseq: log.length + 1,
      messageId: message.messageId,
      userId: intent.userId,
      at: 2_000 + log.length,
      body,
    }
    log.push(change)
    now = fold(now, change)
  }
  return log
}

describe('fold', () => {
  it('fold gives the same message for any number of repetitions and any starting point', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, cut) => {
        const log = logOf(steps)
        const whole = log.reduce(fold, message)
        const half = log.slice(0, cut % (log.length + 1)).reduce(fold, message)
        expect(log.reduce(fold, half)).toEqual(whole)
        expect(log.reduce(fold, whole)).toEqual(whole)
      }),
    )
  })

  it('fold never yields more than 20 reactions, duplicate users, or anything after a deletion', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const log = logOf(steps)
        const { reactions, isDeleted, content, pinnedAt, rev } = log.reduce(fold, message)
        const kept = replacedIn(log)
        expect(reactions.length).toBeLessThanOrEqual(20)
        for (const { userIds } of reactions) expect(new Set(userIds).size).toBe(userIds.length)
        expect(isDeleted).toBe(log.some((change) => change.body.kind === 'deleted'))
        if (isDeleted)
          expect({ reactions, content, pinnedAt }).toEqual({ reactions: [], content: '', pinnedAt: null })
        expect(kept.map((version) => version.rev)).toEqual(Array.from({ length: rev }, (_, index) => index))
      }),
    )
  })
})

/** Returns the versions replaced by a log, in order. */
function replacedIn(log: readonly Change[]): Version[] {
  let now = message
  return log.flatMap((change) => {
    const replaced = replacedBy(change, now)
    now = fold(now, change)
    return replaced ?? []
  })
}

describe('decide', () => {
  const wish = (change: ChangeBody, userId = 1, mayModerate = false) => ({
    messageId: message.messageId,
    userId,
    mayModerate,
    body: change,
  })

  it('decide rejects a change that is already in place', () => {
    expect(decide(message, wish({ kind: 'unpinned' }), 2_000, () => 0)).toBe(false)
    expect(decide(message, wish({ kind: 'edited', content: 'start', mentions: [] }), 2_000, () => 0)).toBe(
      false,
    )
    expect(decide({ ...message, isDeleted: true }, wish({ kind: 'deleted' }), 2_000, () => 0)).toBe(false)
  })

  it('decide lets an author edit for 24 hours', () => {
    const edit = wish({ kind: 'edited', content: 'new', mentions: [] })
    const day = 24 * 60 * 60 * 1_000
    expect(decide(message, edit, message.createdAt + day, () => 0)).toBe(true)
    expect(() => decide(message, edit, message.createdAt + day + 1, () => 0)).toThrow(
      'can no longer be edited',
    )
    expect(() => decide(message, { ...edit, userId: 2, mayModerate: true }, 2_000, () => 0)).toThrow()
  })

  it('decide allows at most 50 pins in a room', () => {
    expect(decide(message, wish({ kind: 'pinned' }), 2_000, () => 49)).toBe(true)
    expect(() => decide(message, wish({ kind: 'pinned' }), 2_000, () => 50)).toThrow()
  })
})
