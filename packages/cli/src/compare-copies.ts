import type { Copies, Fact } from '@bigtech/service-kit'

/** A copy that differs from its owner's data. */
export interface CopyDifference {
  readonly fact: Fact
  readonly detail: string
  /** Whether the owner does not know the object at all. */
  readonly isUnknownToOwner: boolean
}

/**
 * Compares copies with their owners' data, both ordered: users before pairs, each by id. Compares only the
 * copied fields. A deleted user, and a pair without a relation, equal a missing copy.
 */
export async function* compareCopies(
  owned: AsyncIterable<Fact>,
  copies: Pick<Copies, 'all' | 'fields'>,
): AsyncGenerator<CopyDifference, void> {
  const facts = project(owned, copies.fields)
  const found = project(copies.all(), copies.fields)
  let fact = await facts.next()
  let copy = await found.next()
  while (!fact.done || !copy.done) {
    const order = fact.done ? 1 : copy.done ? -1 : compareKeys(fact.value, copy.value)
    if (order < 0 && !fact.done) yield { fact: fact.value, detail: 'has no copy', isUnknownToOwner: false }
    if (order > 0 && !copy.done)
      yield { fact: copy.value, detail: 'is unknown to its owner', isUnknownToOwner: true }
    if (order === 0 && !fact.done && !copy.done) {
      const detail = differenceOf(fact.value, copy.value)
      if (detail) yield { fact: fact.value, detail, isUnknownToOwner: false }
    }
    if (order <= 0) fact = await facts.next()
    if (order >= 0) copy = await found.next()
  }
}

/** Omits kinds and fields that are not copied, and facts equal to a missing copy. */
async function* project(facts: AsyncIterable<Fact>, fields: Copies['fields']): AsyncGenerator<Fact, void> {
  for await (const { kind, ids, fields: all } of facts) {
    const names = fields[kind]
    if (!names || all.deleted === true) continue
    const kept = Object.fromEntries(names.map((name) => [name, all[name] ?? null]))
    if (kind === 'pair' && Object.values(kept).every((value) => value !== true)) continue
    yield { kind, ids, fields: kept }
  }
}

const kinds = ['user', 'pair']

function compareKeys(a: Fact, b: Fact): number {
  const byKind = kinds.indexOf(a.kind) - kinds.indexOf(b.kind)
  if (byKind !== 0) return byKind
  const [low, high] = a.ids.map((id, index) => id - (b.ids[index] ?? 0))
  return low || high || 0
}

function differenceOf(owned: Fact, copy: Fact): string | undefined {
  const wrong = Object.entries(owned.fields).filter(([name, value]) => copy.fields[name] !== value)
  if (wrong.length === 0) return undefined
  return wrong
    .map(([name, value]) => `${name} is ${JSON.stringify(copy.fields[name])}, not ${JSON.stringify(value)}`)
    .join('; ')
}
