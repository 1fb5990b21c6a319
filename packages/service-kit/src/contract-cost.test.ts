import { expect, it, vi } from 'vitest'
import type { z } from 'zod'
import { allContracts, unwrap } from '../testing/contract-inputs.ts'
import { problemBodyOf } from './problem.ts'
import { validationProblem } from './validation.ts'

// Many inputs per test; the timeout is no part of the measurement.
vi.setConfig({ testTimeout: 60_000 })

const MAX_BODY_BYTES = 256 * 1024
const MAX_CPU_MS = 50
/** The size of a problem without its `errors`. */
const MAX_ANSWER_BYTES = 8 * 1024

const fill = (unit: string) => unit.repeat(Math.floor(MAX_BODY_BYTES / Buffer.byteLength(unit)))
/** Texts of maximum body size that are slow to normalize, match, segment, parse or count. */
const hostileTexts = [
  fill('x'),
  fill('0'),
  fill('0'.repeat(25)).concat('a'),
  `${'1'.repeat(26)}a`,
  fill('\u0301'),
  `a${fill('\u0315\u0300\u05ae\u0062')}`,
  fill('각'.normalize('NFD')),
  fill('ﷺ'),
  fill('👨\u200d'),
  fill('🏴\u{e0067}'),
  fill('1\ufe0f\u20e3'),
  fill('\ud800'),
  fill(' '),
  fill(' \n'),
  fill('\u200b'),
  fill('1,'),
  fill('a.').concat('@'),
  fill('a@'),
  fill('-.').concat('@a.bc'),
  `http://${fill('a.')}`,
  `http://${fill('한')}`,
  `https://x/${fill('한')}`,
  `https://x/${fill('../')}`,
  `https://${fill('a:')}@x`,
  fill('Asia/'),
  fill('a/'),
  fill('%'),
  fill('2026-01-27T'),
]

const list = (value: unknown) => Array.from({ length: 80_000 }, () => value)
const nested = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`)
const hostileLists = [list(1), list(-1), list(''), list({}), nested]
const manyFields = Object.fromEntries(Array.from({ length: 30_000 }, (_, n) => [`k${n}`, 1]))

/** Returns the paths of all texts in a schema, as lists of names; a list is represented by its first element. */
function textPlaces(schema: z.ZodType, path: readonly string[] = []): (readonly string[])[] {
  const { def } = unwrap(schema)
  if (def.type === 'string' || def.type === 'enum') return [path]
  if (def.element) return textPlaces(def.element, [...path, '0'])
  return Object.entries(def.shape ?? {}).flatMap(([name, field]) => textPlaces(field, [...path, name]))
}

function withValue(example: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  if (name === '0') return [withValue(undefined, rest, value)]
  const known = (example ?? {}) as Record<string, unknown>
  return { ...known, [name]: withValue(known[name], rest, value) }
}

/** Returns the CPU time of the fastest of three runs, which excludes compilation and garbage collection. */
function cpuMs(work: () => void, tries = 3): number {
  const started = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(started)
  const spent = (user + system) / 1_000
  return spent < MAX_CPU_MS || tries === 1 ? spent : Math.min(spent, cpuMs(work, tries - 1))
}

function expectCheap(schema: z.ZodType, input: unknown, what: string): void {
  let answer = ''
  const spent = cpuMs(() => {
    const { error } = schema.safeParse(input)
    answer = error ? JSON.stringify(problemBodyOf(validationProblem(error, 'body'), '/', 'id')) : ''
  })
  expect(spent, what).toBeLessThan(MAX_CPU_MS)
  expect(answer.length, what).toBeLessThan(MAX_ANSWER_BYTES)
}

const parts = allContracts.flatMap((contract) =>
  (['params', 'query', 'body'] as const).flatMap((part) => {
    const schema = contract[part]
    const example = part === 'body' ? contract.bodyExample : undefined
    return schema ? [[`${part} of ${contract.operationId}`, { schema, example }] as const] : []
  }),
)

it.each(parts)('every text in the %s is validated within 50 ms of CPU', (_title, { schema, example }) => {
  for (const place of textPlaces(schema)) {
    for (const text of hostileTexts) {
      expectCheap(schema, withValue(example, place, text), `${place.join('.')} = ${text.slice(0, 40)}`)
    }
  }
})

it.each(parts)(
  'every structure in the %s is validated within 50 ms of CPU',
  (_title, { schema, example }) => {
    const fields = Object.keys(unwrap(schema).def.shape ?? {})
    for (const field of fields) {
      for (const value of hostileLists) expectCheap(schema, withValue(example, [field], value), field)
    }
    expectCheap(schema, { ...(example as object), ...manyFields }, 'unknown fields')
    expectCheap(schema, { ...(example as object), ['k'.repeat(MAX_BODY_BYTES)]: 1 }, 'a long name')
  },
)
