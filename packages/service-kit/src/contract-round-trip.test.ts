import type { RouteContract } from '@bigtech/contracts'
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { allContracts, answerOf, inputOf, unwrap } from '../testing/contract-inputs.ts'
import { serializerOf } from './json-schema.ts'

// Many inputs per test; the timeout is no part of the comparison.
vi.setConfig({ testTimeout: 60_000 })

/** Fields whose response value under the same name has another meaning, with the reason. */
const notEchoed = new Map([
  ['state', 'of a heartbeat; responses contain the state of a deletion or delivery'],
  ['link_id', 'of an account link; responses contain join links'],
  ['keys', 'of a push subscription; responses contain token keys'],
  ['token', 'of a link; responses contain script tokens'],
  ['code', 'of a second factor; responses contain error codes'],
  ['kind', 'of a job filter; responses contain file kinds'],
  ['data', 'the bytes of a picture; responses contain documents and activities'],
  ['archived', 'a string in the query of a list'],
  ['muted_until', 'normalized to UTC'],
])

/** Returns the field names of a response at any depth. */
function fieldNames(schema: unknown, found = new Set<string>()): Set<string> {
  const { def } = unwrap(schema as never)
  for (const [name, field] of Object.entries(def.shape ?? {})) {
    found.add(name)
    fieldNames(field, found)
  }
  if (def.element) fieldNames(def.element, found)
  return found
}

const answers = allContracts
  .filter(({ success }) => success.schema && !success.contentType)
  .map(({ operationId, success }) => ({
    operationId,
    schema: success.schema!,
    names: fieldNames(success.schema),
    serialize: serializerOf(success.schema!),
  }))

const partsOf = (contract: RouteContract) =>
  (['params', 'query', 'body'] as const).flatMap((part) => {
    const schema = contract[part]
    return schema
      ? [
          {
            operationId: contract.operationId,
            part,
            schema,
            example: part === 'body' ? contract.bodyExample : undefined,
          },
        ]
      : []
  })

/** Returns all objects in a value, including itself. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null || value instanceof Date) return []
  return [
    ...(Array.isArray(value) ? [] : [value as Record<string, unknown>]),
    ...Object.values(value).flatMap(objectsIn),
  ]
}

function stringsIn(value: unknown, name = ''): [name: string, text: string][] {
  if (typeof value === 'string') return [[name, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([field, inner]) => stringsIn(inner, field))
}

/** Skips values of a field that were already serialized. */
const answered = new Set<string>()

function expectAnswered(name: string, value: unknown): void {
  const key = `${name} ${JSON.stringify(value)}`
  if (value === undefined || notEchoed.has(name) || answered.has(key)) return
  answered.add(key)
  for (const { operationId, schema, names, serialize } of answers) {
    if (!names.has(name)) continue
    const answer = answerOf(schema, { [name]: value })
    expect(JSON.parse(serialize(answer)), `${operationId} answers ${name}`).toEqual(answer)
  }
}

const inputs = allContracts.flatMap((contract) =>
  partsOf(contract).map((each) => [`${each.part} of ${each.operationId}`, each] as const),
)

it.each(inputs)(
  'every text accepted as %s can be serialized in a response',
  (_title, { operationId, part, schema, example }) => {
    fc.assert(
      fc.property(inputOf(schema, example), (input) => {
        const result = schema.safeParse(input)
        if (!result.success) return
        for (const [name, text] of stringsIn(result.data)) {
          expect(
            text.isWellFormed() && text === text.normalize('NFC') && !/\p{M}{31}/u.test(text),
            text,
          ).toBe(true)
          if (!name.endsWith('password')) expect(text).not.toMatch(/[^\P{Cc}\n\t]|[\u202d\u202e]/u)
        }
        // Sign-in input is compared and never returned.
        if (operationId.startsWith('login')) return
        for (const object of objectsIn(result.data)) {
          for (const [name, value] of Object.entries(object)) expectAnswered(name, value)
        }
        if (part === 'body')
          expect(schema.safeParse(result.data), 'is stored as accepted').toMatchObject({
            success: true,
            data: result.data,
          })
      }),
      { numRuns: 150 },
    )
  },
)

it('every body example is valid', () => {
  for (const { operationId, body, bodyExample } of allContracts) {
    if (body) expect(body.safeParse(bodyExample).error, operationId).toBeUndefined()
  }
})

it('every response example is serialized unchanged', () => {
  for (const { operationId, success } of allContracts) {
    if (!success.schema || success.contentType === 'text/event-stream') continue
    expect(JSON.parse(serializerOf(success.schema)(success.example)), operationId).toEqual(success.example)
  }
})
