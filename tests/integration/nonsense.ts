import fc from 'fast-check'
import type { Operation } from './operations.ts'

/** Hostile JSON as text, because JSON.stringify cannot produce all of it. */
const hostileJson = [
  'null',
  'true',
  '-0',
  '1e400',
  '-1',
  '0.1',
  '9007199254740993',
  '99999999999999999999999999',
  '""',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udfff\\ud83d"',
  '"\\u202e\\u2066\\ufeff"',
  '"👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿é"',
  `"${'é'.repeat(4_000)}"`,
  `"${'👨‍👩‍👧‍👦'.repeat(1_500)}"`,
  '"\' OR 1=1 -- "',
  '"\\"; DROP TABLE users; --"',
  '"%_\\\\%"',
  '"{{7*7}}<%= 7*7 %>"',
  '"../../../../etc/passwd"',
  '"http://169.254.169.254/latest/meta-data"',
  '"javascript:alert(1)"',
  '"2026-13-45T99:99:99.999Z"',
  '{"$gt":""}',
  '{"$where":"sleep(1000)"}',
  '{"$ne":null,"$regex":".*"}',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"toString":1,"valueOf":1,"length":-1}',
  '[]',
  '[[[[[[]]]]]]',
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  `[${Array.from({ length: 2_000 }, (_, index) => index + 1).join(',')}]`,
  '["1",null,{},[]]',
] as const
const megabyte = `"${'x'.repeat(1024 * 1024)}"`

/** Hostile text for paths and query strings, percent-encoded with and without need. */
const hostileText = [
  '0',
  '-1',
  '1.5',
  '1e3',
  '9007199254740993',
  '99999999999999999999999999',
  'NaN',
  'null',
  '__proto__',
  'constructor',
  '%00',
  '1%00',
  '%ff%fe',
  '%ed%a0%80',
  '%',
  '%zz',
  '%2e%2e%2f%2e%2e%2fhealth',
  '%27%20OR%201=1--',
  '%7B%22$gt%22:%22%22%7D',
  '%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9',
  '%E2%80%AE',
  'a'.repeat(3_000),
  '1:000000000000',
  '9999999999999999:999999999999',
  '00000000-0000-0000-0000-000000000000',
] as const

const hostileHeaders = [
  { 'x-request-id': 'r'.repeat(4_000) },
  { 'x-request-id': '../../"><script>' },
  { authorization: 'Bearer' },
  { authorization: 'Bearer a.b.c' },
  { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.' },
  { authorization: 'Basic YTpi' },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/xml' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'multipart/form-data; boundary=x' },
  { 'content-type': 'application/x-www-form-urlencoded' },
  { 'content-encoding': 'gzip' },
  { accept: 'application/xml' },
  { 'last-event-id': 'not a cursor' },
  { 'last-event-id': Buffer.from('{"__proto__":1}').toString('base64url') },
  { 'x-forwarded-for': '::::, 999.1.1.1' },
  { traceparent: '00-zz-zz-zz' },
  { cookie: 'x'.repeat(4_000) },
] as const

export interface Nonsense {
  /** Path and query as sent. */
  readonly target: string
  readonly body: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** Returns requests with some invalid parts and valid others, so that they pass the first checks. */
export function nonsense(
  operation: Operation,
  ids: Readonly<Record<string, string | number>>,
): fc.Arbitrary<Nonsense> {
  return fc
    .record({
      params: valuesOf(operation, 'path', ids),
      query: valuesOf(operation, 'query', ids),
      body: bodyOf(operation),
      headers: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, fc.constantFrom(...hostileHeaders)),
    })
    .map(({ params, query, body, headers }) => {
      const path = operation.path.replace(/\{(\w+)\}/g, (_whole, name: string) => params[name] ?? '1')
      const text = Object.entries(query).map(([name, value]) => `${name}=${value}`)
      const type = operation.isForm ? 'application/x-www-form-urlencoded' : 'application/json'
      return {
        target: text.length > 0 ? `${path}?${text.join('&')}` : path,
        body,
        headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
      }
    })
}

function valuesOf(
  { parameters }: Operation,
  place: 'path' | 'query',
  ids: Readonly<Record<string, string | number>>,
): fc.Arbitrary<Record<string, string>> {
  const own = parameters.filter((parameter) => parameter.in === place)
  const value = (name: string) => {
    const known = ids[name]
    const valid =
      known === undefined ? [] : [{ weight: 3, arbitrary: fc.constant(encodeURIComponent(known)) }]
    return fc.oneof(...valid, { weight: 1, arbitrary: fc.constantFrom(...hostileText) })
  }
  return fc.record(Object.fromEntries(own.map(({ name }) => [name, value(name)])), {
    requiredKeys: place === 'path' ? own.map(({ name }) => name) : [],
  })
}

function bodyOf(operation: Operation): fc.Arbitrary<string | undefined> {
  const schema = operation.body
  const anything = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...hostileJson) },
    { weight: 3, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.constant(megabyte) },
  )
  if (!schema) return fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, anything)
  const example = (operation.example ?? {}) as Record<string, unknown>
  const names = [...new Set([...Object.keys(schema.properties ?? {}), ...Object.keys(example), '__proto__'])]
  if (operation.isForm) {
    const field = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...hostileText))
    return fc.array(field).map((fields) => fields.map((each) => each.join('=')).join('&'))
  }
  const partly = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), anything), { selector: ([name]) => name, maxLength: 3 })
    .map((replaced) => {
      const kept = Object.entries(example).map(([name, value]): [string, string] => [
        name,
        JSON.stringify(value),
      ])
      const entries = [...new Map([...kept, ...replaced])]
      return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
    })
  const broken = fc.constantFrom('', '{', '{"a":', '\ufeff{}', 'undefined', '{}{}', '\0')
  return fc.oneof(
    { weight: 6, arbitrary: partly },
    { weight: 2, arbitrary: anything },
    { weight: 1, arbitrary: broken },
  )
}
