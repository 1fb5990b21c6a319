import { fileName } from '@bigtech/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dispositionOf, parseRange } from './file.ts'

describe('a Range header', () => {
  it.each([
    ['bytes=0-99', { first: 0, last: 99 }],
    ['bytes=990-', { first: 990, last: 999 }],
    ['bytes=990-5000', { first: 990, last: 999 }],
    ['bytes=-10', { first: 990, last: 999 }],
    ['bytes=-5000', { first: 0, last: 999 }],
    ['bytes=1000-', null],
    ['bytes=-0', null],
    ['bytes=5-2', undefined],
    ['bytes=0-1,5-6', undefined],
    ['bytes=-', undefined],
    ['items=0-1', undefined],
    [undefined, undefined],
  ])('the range %s of 1,000 bytes resolves to %j', (header, expected) => {
    expect(parseRange(header, 1_000)).toEqual(expected)
  })

  it('a range is truncated at the end of the file, null beyond it, and ignored when it ends before it begins', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.nat(2_000), fc.integer({ min: 1, max: 1_500 }), (a, b, size) => {
        const satisfiable = a < size ? { first: a, last: Math.min(b, size - 1) } : null
        expect(parseRange(`bytes=${a}-${b}`, size)).toEqual(b < a ? undefined : satisfiable)
      }),
    )
  })
})

describe('the name of a file', () => {
  it.each([
    ['../etc/passwd', 'path'],
    ['a\\b.png', 'backslash'],
    ['..', 'parent'],
    ['photo\u202egnp.exe', 'right-to-left override'],
    ['a\nb.png', 'line break'],
    ['   ', 'blank'],
    ['가'.repeat(256), '256 characters'],
    ['\ud800.png', 'a lone surrogate'],
  ])('a file name is rejected: %j (%s)', (name) => {
    expect(fileName.safeParse(name).success).toBe(false)
  })

  it('a file name is stored in composed form, so that it looks the same everywhere', () => {
    expect(fileName.parse('한글.png'.normalize('NFD'))).toBe('한글.png')
  })

  it('a file name cannot inject a header or a parameter into a download', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const parsed = fileName.safeParse(`${text}.txt`)
        if (!parsed.success) return
        const header = dispositionOf(parsed.data)
        expect(header).toMatch(
          /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[\w%.~!$&+^`|-]*$/,
        )
        // The plain name may contain `''`, too; the encoded one never does.
        expect(decodeURIComponent(header.slice(header.lastIndexOf("''") + 2))).toBe(parsed.data)
      }),
      { examples: [["a''b"]] },
    )
  })
})
