import type { Fact } from '@bigtech/service-kit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareCopies } from './compare-copies.ts'

async function* stream(facts: readonly Fact[]): AsyncGenerator<Fact, void> {
  yield* facts
}

const fields = { user: ['username'], pair: ['friends'] }

async function compare(owned: readonly Fact[], copies: readonly Fact[], copied: object = fields) {
  const found: string[] = []
  for await (const { fact, detail } of compareCopies(stream(owned), {
    fields: copied,
    all: () => stream(copies),
  })) {
    found.push(`${fact.kind} ${fact.ids.join(':')} ${detail}`)
  }
  return found
}

const user = (id: number, username: string, deleted = false): Fact => ({
  kind: 'user',
  ids: [id],
  fields: { username, deleted, email: `${username}@example.com` },
})
const pair = (low: number, high: number, friends: boolean): Fact => ({
  kind: 'pair',
  ids: [low, high],
  fields: { friends, low_blocks_high: false },
})

describe('compareCopies', () => {
  it('compareCopies reports a differing copy, a missing copy, and a copy unknown to its owner', async () => {
    const owned = [user(1, 'ann'), user(2, 'bob'), user(4, 'dan'), pair(1, 2, true), pair(1, 4, true)]
    const copies = [user(1, 'ann'), user(2, 'rob'), user(3, 'eve'), pair(1, 2, true), pair(1, 3, true)]
    expect(await compare(owned, copies)).toEqual([
      'user 2 username is "rob", not "bob"',
      'user 3 is unknown to its owner',
      'user 4 has no copy',
      'pair 1:3 is unknown to its owner',
      'pair 1:4 has no copy',
    ])
  })

  it('compareCopies treats a deleted user, and a pair without a relation, like no copy', async () => {
    expect(await compare([user(1, 'ann', true), pair(1, 2, false)], [])).toEqual([])
    expect(await compare([], [user(1, '', true), pair(1, 2, false)])).toEqual([])
    expect(await compare([user(1, 'ann')], [user(1, '', true)])).toEqual(['user 1 has no copy'])
  })

  it('compareCopies compares only the kinds and fields that the service copies', async () => {
    const owned = [user(1, 'ann'), pair(1, 2, true)]
    expect(await compare(owned, [], { pair: ['low_blocks_high'] })).toEqual([])
  })

  it('compareCopies finds exactly the differences for any gaps between ids on either side', async () => {
    const person = fc.record({
      id: fc.integer({ min: 1, max: 50 }),
      place: fc.constantFrom('both', 'changed', 'owner', 'copy'),
    })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(person, { selector: ({ id }) => id }), async (rows) => {
        const sorted = rows.toSorted((a, b) => a.id - b.id)
        const owned = sorted.filter(({ place }) => place !== 'copy').map(({ id }) => user(id, 'name'))
        const copies = sorted
          .filter(({ place }) => place !== 'owner')
          .map(({ id, place }) => user(id, place === 'changed' ? 'other' : 'name'))
        const different = sorted.filter(({ place }) => place !== 'both').map(({ id }) => `user ${id}`)
        const found = (await compare(owned, copies)).map((each) => each.split(' ').slice(0, 2).join(' '))
        expect(found).toEqual(different)
      }),
    )
  })
})
