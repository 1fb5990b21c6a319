import type { RouteContract } from '@bigtech/contracts'
import * as contracts from '@bigtech/contracts'
import fc from 'fast-check'
import type { z } from 'zod'

/** All operations of all services. */
export const allContracts: readonly RouteContract[] = Object.values(
  contracts as Record<string, unknown>,
).filter(
  (value): value is RouteContract => typeof value === 'object' && value !== null && 'operationId' in value,
)

/** Text that some layer could misinterpret. */
const oddText = [
  'a\ud800',
  '\udfffb',
  'a\0b',
  'a\u001b[31mb',
  'a\u202egpj.exe',
  'a\r\nb\tc',
  '\u200b',
  '\u3164',
  `a${'\u0301'.repeat(40)}`,
  '한글'.normalize('NFD'),
  'ﬁ①ㅋㅋ',
  'https://cdn.example.com/사진 1.png?q=é[1]|^`#한글',
  'https://예시.한국/<x>"{}\\',
  'http://[::1]:8080/a%2',
  'http://EXAMPLE.com:80/../a/./b',
  'https://user:pw@example.com/',
  '2026-01-27T10:00:00.000Z',
  '2026-01-27T19:00:00+09:00',
  'Asia/Seoul',
  'asia/seoul',
  '00:00',
  'ko',
  'ko-KR',
  '👍',
  '❤',
  '7:000000000042',
  '0194a8a0-5b00-7000-8000-000000000001',
  '0194A8A0-5B00-7000-8000-000000000001',
  'application/x.a+json',
  '1,2,3',
]

const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddText) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.webUrl({ withQueryParameters: true, withFragments: true, size: 'small' }) },
  { weight: 1, arbitrary: fc.tuple(fc.webUrl(), fc.constantFrom(...oddText)).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.nat().map(String) },
)

type Def = z.core.$ZodTypeDef & {
  shape?: Record<string, z.ZodType>
  element?: z.ZodType
  innerType?: z.ZodType
  in?: z.ZodType
  out?: z.ZodType
  options?: z.ZodType[]
  entries?: Record<string, unknown>
  values?: unknown[]
}

/** Returns the definition of a schema, unwrapping wrapper schemas. */
export function unwrap(schema: z.ZodType): { def: Def; isOptional: boolean; isNullable: boolean } {
  let def = schema.def as Def
  let isOptional = false
  let isNullable = false
  for (;;) {
    if (def.type === 'optional' || def.type === 'default') isOptional = true
    if (def.type === 'nullable') isNullable = true
    const inner =
      def.type === 'pipe' ? ((def.in!.def as Def).type === 'transform' ? def.out : def.in) : def.innerType
    if (!inner) return { def, isOptional, isNullable }
    def = inner.def as Def
  }
}

/**
 * Returns values in the shape of a schema that need not be valid: all kinds of texts, numbers at their
 * limits. Most of the valid `example` is kept, so that generated values pass the first checks.
 */
export function inputOf(schema: z.ZodType, example?: unknown): fc.Arbitrary<unknown> {
  const { def, isOptional, isNullable } = unwrap(schema)
  const value = shapeOf(schema, def, example)
  const odd: fc.Arbitrary<unknown>[] = []
  if (isNullable) odd.push(fc.constant(null))
  if (isOptional) odd.push(fc.constant(undefined))
  return odd.length === 0 ? value : fc.oneof({ weight: 4, arbitrary: value }, ...odd)
}

function shapeOf(schema: z.ZodType, def: Def, example: unknown): fc.Arbitrary<unknown> {
  const valid = schema.safeParse(example).success ? [{ weight: 4, arbitrary: fc.constant(example) }] : []
  switch (def.type) {
    case 'object': {
      const known = (example ?? {}) as Record<string, unknown>
      const fields = Object.entries(def.shape!).map(
        ([name, field]) => [name, inputOf(field, known[name])] as const,
      )
      return fc.record(Object.fromEntries(fields))
    }
    case 'array':
      return fc.array(inputOf(def.element!, (example as unknown[] | undefined)?.[0]), { maxLength: 4 })
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries!))
    case 'boolean':
      return fc.boolean()
    case 'number':
      return fc.oneof(
        ...valid,
        fc.constantFrom(1, 2, 0, -1, 1.5, 2 ** 40, Number.MAX_SAFE_INTEGER),
        fc.nat(100),
      )
    case 'string':
      return fc.oneof(...valid, { weight: 3, arbitrary: anyText })
    default:
      return fc.anything()
  }
}

/** Returns a valid response without nulls and empty lists, with `given` in every field of that name. */
export function answerOf(schema: z.ZodType, given: Readonly<Record<string, unknown>>): unknown {
  const { def } = unwrap(schema)
  switch (def.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(def.shape!).map(([name, field]) => {
          const fits = name in given && (given[name] !== null || unwrap(field).isNullable)
          return [name, fits ? given[name] : answerOf(field, given)]
        }),
      )
    case 'array':
      return [answerOf(def.element!, given)]
    case 'enum':
      return Object.values(def.entries!)[0]
    case 'literal':
      return def.values![0]
    case 'boolean':
      return true
    case 'number':
      return 1
    case 'string':
      return [
        '2026-01-27T10:00:00.000Z',
        '2026-01-27',
        '0194a8a0-5b00-7000-8000-000000000001',
        'ko',
        '22:00',
        'UTC',
        '7:000000000042',
        'x',
      ].find((text) => schema.safeParse(text).success)
    case 'record':
      return {}
    default:
      return null
  }
}
