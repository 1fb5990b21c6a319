import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { multiLine, opaqueText, secretText, singleLine, typedText, webUrl } from './text.ts'

const zalgo = 'a\u0301'.concat('\u0301'.repeat(30))
const name = singleLine({ max: 50 })
const message = multiLine({ max: 10_000 })

describe.each([
  ['a name', name],
  ['a message', message],
  ['a search text', typedText({ max: 50 })],
  ['a password', secretText({ min: 1 })],
])('%s', (_kind, schema) => {
  it.each([
    ['a lone high surrogate', 'a\ud800'],
    ['a lone low surrogate', '\udfffb'],
    ['31 combining marks in a row', zalgo],
  ])('refuses %s', (_case, text) => {
    expect(schema.safeParse(text).success).toBe(false)
  })

  it('composed and decomposed spellings give the same text', () => {
    expect(schema.parse('한글 é'.normalize('NFD'))).toBe('한글 é')
  })

  it('a text field validates any length and number of marks in less than 50 ms', () => {
    for (const text of [
      '\u0301'.repeat(128_000),
      '가'.normalize('NFD').repeat(80_000),
      'x'.repeat(256_000),
    ]) {
      const started = process.cpuUsage()
      expect(schema.safeParse(text).success).toBe(false)
      expect(process.cpuUsage(started).user / 1_000).toBeLessThan(50)
    }
  })
})

const nothingToSee = [
  ' ',
  '\u200b',
  '\u3164',
  '\u2800',
  '\u115f\u1160',
  '\u00ad',
  '\ufe0f',
  '\u200d\u200c',
  '\u0301',
]

it.each(nothingToSee)('a text field refuses a name or message without visible characters (%j)', (text) => {
  expect(name.safeParse(text).success).toBe(false)
  expect(message.safeParse(text).success).toBe(false)
})

it.each(['NUL \0', 'ESC \u001b[31m', 'BEL \u0007', 'C1 \u009b', 'RLO \u202e', 'nonchar \uffff'])(
  'neither a name nor a message may contain %j',
  (text) => {
    expect(name.safeParse(`a${text}b`).success).toBe(false)
    expect(message.safeParse(`a${text}b`).success).toBe(false)
  },
)

it.each(['\n', '\r\n', '\t', '\u0085', '\u2028', '\u2029', '\u202a', '\u2066', '\u2069'])(
  'a name has no line break, tab or direction control (%j), but a message may',
  (text) => {
    expect(name.safeParse(`a${text}b`).success).toBe(false)
    expect(message.safeParse(`a${text}b`).success).toBe(true)
  },
)

it('a text field normalizes the line breaks of a message', () => {
  expect(message.parse('a\r\nb\rc\u2028d\u2029e\u0085f\vg\fh\n\ni')).toBe('a\nb\nc\nd\ne\nf\ng\nh\n\ni')
})

it.each([
  '김민지',
  'José',
  'क्षत्रिय',
  'ไม่เป็นไร',
  'مرحبا',
  'נָעִים',
  'Z̷̨͇̈́a',
  '👨‍👩‍👧‍👦',
  'a\u200eb',
  'e\u0301'.repeat(25),
])('accepts names in every script: %s', (text) => {
  expect(name.safeParse(text).success).toBe(true)
})

it('a text field counts normalized characters, not UTF-16 units', () => {
  expect(name.safeParse('👍'.repeat(50)).success).toBe(true)
  expect(name.safeParse('각'.normalize('NFD').repeat(50)).success).toBe(true)
  expect(name.safeParse('👍'.repeat(51)).success).toBe(false)
  // Normalization lengthens this character.
  expect(name.safeParse('\u0958'.repeat(26)).success).toBe(false)
})

it('a text field reports only the length of a text that is too long', () => {
  const { error } = name.safeParse('\u0301'.repeat(10_000))
  expect(error?.issues.map(({ message }) => message)).toEqual(['At most 50 characters.'])
})

it('a text field documents the length in characters', () => {
  expect(z.toJSONSchema(z.object({ name: name.optional() }), { io: 'input' }).properties?.name).toMatchObject(
    {
      type: 'string',
      minLength: 1,
      maxLength: 50,
    },
  )
})

it('a text field replaces white space and controls in a search text by one space', () => {
  expect(typedText({ max: 20 }).parse('  kim\u3000\n\t min\0ji ')).toBe('kim min ji')
})

it.each([
  ['https://cdn.example.com/사진.png', 'https://cdn.example.com/%EC%82%AC%EC%A7%84.png'],
  ['https://cdn.example.com/a b.png', 'https://cdn.example.com/a%20b.png'],
  ['https://예시.한국/é', 'https://xn--vv4b11d.xn--3e0b707e/%C3%A9'],
  ['HTTPS://CDN.Example.com', 'https://cdn.example.com/'],
  ['https://[::1]/x', 'https://[::1]/x'],
  ['https://a.example/\u202egpj.exe', 'https://a.example/%E2%80%AEgpj.exe'],
])('stores the URL %s as %s', (typed, stored) => {
  const url = webUrl(500)
  expect(url.parse(typed)).toBe(stored)
  expect(url.parse(stored)).toBe(stored)
})

it.each([
  'javascript:alert(1)',
  'ftp://example.com',
  'https://',
  'https:example.com',
  'example.com/x.png',
  'https://user:password@example.com',
  'https://a.example/\ud800',
  'https://exa mple.com',
  `https://example.com/${'x'.repeat(500)}`,
  `https://example.com/${'한'.repeat(60)}`,
])('refuses the URL %s', (text) => {
  expect(webUrl(500).safeParse(text).success).toBe(false)
})

it.each(['a b', 'é', '\0', 'a\n', '\ud800'])('an opaque value is printable ASCII: rejects %j', (text) => {
  expect(opaqueText({ max: 10 }).safeParse(text).success).toBe(false)
})
