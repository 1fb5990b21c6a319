import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  characterErrors,
  facts,
  koreanPdf,
  koreanScan,
  koreanWorkbook,
  prose,
  table,
} from '../../../testing/korean-documents.ts'
import { type Limits, runIsolated } from '../isolated.ts'
import type { Extraction } from './extraction.ts'
import { factsOf, isBusinessNumber, parseKoreanNumber } from './facts.ts'
import { linesOf, tablesOf } from './layout.ts'
import { reportHtml } from './report-html.ts'
import { summarize } from './summary.ts'

const limits: Limits = { wallMs: 120_000, cpuSeconds: 90, rssMegabytes: 900, heapMegabytes: 400 }
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'media-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Extracts in a child process, like a worker. */
async function extracted(type: Extraction['type'], bytes: Uint8Array): Promise<Extraction> {
  const file = join(folder, 'upload')
  await writeFile(file, bytes)
  const outcome = await runIsolated(
    { name: 'extract', folder, input: { file, type, name: '거래명세서' } },
    limits,
    new AbortController().signal,
  )
  expect(outcome).toMatchObject({ ok: true })
  return JSON.parse(await readFile(join(folder, 'extracted.json'), 'utf8'))
}
const textOf = (extraction: Extraction) => extraction.text.map(({ text }) => text).join('\n')
const tuples = (extraction: Extraction) =>
  extraction.facts.map(({ kind, value, count }) => [kind, value, count] as const)

describe('extraction of a Korean document', { timeout: 180_000 }, () => {
  it('extraction finds every character, table and fact of a Korean workbook', async () => {
    const found = await extracted('xlsx', koreanWorkbook())
    const truth = [...prose, ...table.map((row) => row.join(' '))].join('\n')
    expect(characterErrors(truth, textOf(found))).toBe(0)
    expect(found.tables).toEqual([{ page: 1, name: '매출', rows: table }])
    expect(tuples(found).slice(0, facts.length)).toEqual(facts)
    expect(found).toMatchObject({ language: 'ko', pages_total: 1, pages_read: 1, warnings: [] })
  })

  it('extraction finds every character, table and fact of a Korean PDF', async () => {
    const found = await extracted('pdf', await koreanPdf(2))
    const page = [...prose, ...table.map((row) => row.join(' '))].join('\n')
    expect(characterErrors(`${page}\n${page}`, textOf(found))).toBe(0)
    expect(found.tables.map(({ rows }) => rows)).toEqual([table, table])
    expect(tuples(found).slice(0, facts.length)).toEqual(
      facts.map(([kind, value, count]) => [kind, value, count * 2]),
    )
    expect(found.summary).toHaveLength(3)
  })

  it('extraction reads a Korean image with at most 1 % of its characters wrong, and all of its facts', async () => {
    const found = await extracted('image', await koreanScan())
    expect(characterErrors(prose.join(''), textOf(found))).toBeLessThanOrEqual(0.01)
    expect(tuples(found)).toEqual(facts)
  })

  it('the reports are a PDF and a page in which the document is only text', async () => {
    await extracted('xlsx', koreanWorkbook())
    expect((await readFile(join(folder, 'report.pdf'))).subarray(0, 5).toString()).toBe('%PDF-')
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('₩123,000,000')
    const hostile = '<script>alert(1)</script>'
    const page = reportHtml(hostile, {
      type: 'xlsx',
      language: 'ko',
      pages_total: 1,
      pages_read: 1,
      warnings: [hostile],
      summary: [hostile],
      facts: [],
      tables: [{ page: 1, name: hostile, rows: [[hostile]] }],
      text: [{ page: 1, name: null, text: hostile }],
    })
    expect(page).not.toContain('<script')
  })
})

describe('facts', () => {
  it.each([
    ['12,345,000', 12_345_000],
    ['1억 2,300만', 123_000_000],
    ['3천만', 30_000_000],
    ['2조 5,000억', 2_500_000_000_000],
    ['350만', 3_500_000],
    ['1.5억', 150_000_000],
    ['1.2.3', undefined],
    ['만', undefined],
  ])('the amount %s is read as %s', (text, value) => {
    expect(parseKoreanNumber(text)).toBe(value)
  })

  it('every amount written in myriads is parsed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999 }), fc.integer({ min: 1, max: 9_999 }), (eok, man) => {
        const text = `${eok > 0 ? `${eok.toLocaleString('en')}억 ` : ''}${man.toLocaleString('en')}만`
        expect(parseKoreanNumber(text)).toBe(eok * 1e8 + man * 1e4)
      }),
    )
  })

  it('mail addresses are found inside text', () => {
    const text = '문의: Sales@hanbit.co.kr, <a.b+c@x.io>; @nobody.kr x@localhost'
    const found = factsOf([{ page: 1, name: null, text }]).map(({ value }) => value)
    expect(found).toEqual(['sales@hanbit.co.kr', 'a.b+c@x.io'])
  })

  it('nonexistent dates and business numbers with a wrong check digit are not facts', () => {
    const text = '2026-02-30 2026-13-01 124-81-00999'
    expect(factsOf([{ page: 1, name: null, text }])).toEqual([])
    expect(isBusinessNumber('124-81-00998')).toBe(true)
  })

  it('an unrelated number before an amount is not part of it', () => {
    const [fact] = factsOf([{ page: 1, name: null, text: '수량 2026 1,234,500원' }])
    expect(fact).toMatchObject({ kind: 'amount_krw', value: '1234500' })
  })

  it('facts are extracted from hostile text of 300,000 characters in less than 2 s', () => {
    const text = `${'1'.repeat(50_000)} ${'a@'.repeat(50_000)} ${'1,'.repeat(50_000)} ${'만억'.repeat(25_000)}`
    const start = performance.now()
    factsOf([{ page: 1, name: null, text }])
    summarize([{ page: 1, name: null, text }])
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

it('table cells keep their columns when a row has missing cells', () => {
  const cell = (x: number, y: number, text: string) => ({ x, right: x + 20, y, height: 10, text })
  const row = (y: number, cells: (string | null)[]) =>
    cells.flatMap((text, column) => (text === null ? [] : [cell(column * 100, y, text)]))
  const words = [
    ...row(90, ['a', 'b', 'c', 'd']),
    ...row(70, ['1', null, '3', '4']),
    ...row(50, ['5', '6', '7', '8']),
  ]
  expect(tablesOf(linesOf(words))).toEqual([
    [
      ['a', 'b', 'c', 'd'],
      ['1', '', '3', '4'],
      ['5', '6', '7', '8'],
    ],
  ])
})
