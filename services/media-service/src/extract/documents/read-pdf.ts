import { readFile } from 'node:fs/promises'
import { getDocumentProxy } from 'unpdf'
import { Refusal } from '../refusal.ts'
import { Allowance, type PageText, type Reading, type Table } from './extraction.ts'
import { linesOf, tablesOf, textOf, type Word } from './layout.ts'

const MAX_PAGES = 300

/**
 * Reads text and tables of a PDF. Pages that are images have no text; a warning says so.
 * @throws Refusal DOCUMENT_UNREADABLE
 */
export async function readPdf(file: string): Promise<Reading> {
  const document = await open(file)
  const allowance = new Allowance()
  const pages: PageText[] = []
  const tables: Table[] = []
  const warnings: string[] = []
  let empty = 0
  const count = Math.min(document.numPages, MAX_PAGES)
  if (count < document.numPages) warnings.push(`Read ${count} of ${document.numPages} pages.`)
  for (let page = 1; page <= count; page++) {
    const lines = linesOf(await wordsOf(document, page))
    if (lines.length === 0) empty += 1
    pages.push({ page, name: null, text: allowance.take(textOf(lines)) })
    for (const rows of tablesOf(lines)) {
      const taken = allowance.takeRows(rows)
      if (taken.length < rows.length)
        warnings.push(`Page ${page}: a table is cut after ${taken.length} rows.`)
      if (taken.length > 0) tables.push({ page, name: null, rows: taken })
    }
  }
  if (empty > 0) warnings.push(`${empty} of ${count} pages have no text: scanned pages are not read.`)
  return { pagesTotal: document.numPages, pages, tables, warnings }
}

type Document = Awaited<ReturnType<typeof getDocumentProxy>>

async function open(file: string): Promise<Document> {
  try {
    return await getDocumentProxy(new Uint8Array(await readFile(file)), { verbosity: 0 })
  } catch {
    throw new Refusal('DOCUMENT_UNREADABLE', 'The PDF cannot be read; it may be broken or protected.')
  }
}

async function wordsOf(document: Document, number: number): Promise<Word[]> {
  try {
    const page = await document.getPage(number)
    const { items } = await page.getTextContent()
    page.cleanup()
    return items.flatMap((item) => {
      if (!('str' in item)) return []
      const [, , , scale, x, y] = item.transform as [number, number, number, number, number, number]
      return [{ x, right: x + item.width, y, height: Math.abs(scale) || item.height, text: item.str }]
    })
  } catch {
    throw new Refusal('DOCUMENT_UNREADABLE', `Page ${number} of the PDF cannot be read.`)
  }
}
