import { createWriteStream } from 'node:fs'
import { createRequire } from 'node:module'
import { finished } from 'node:stream/promises'
import PDFDocument from 'pdfkit'
import type { Extraction } from './extraction.ts'
import { factValue, reportWords, SHOWN_FACTS, SHOWN_ROWS, SHOWN_TABLES } from './report-words.ts'

const require = createRequire(import.meta.url)
const font = require.resolve('@expo-google-fonts/gowun-dodum/400Regular/GowunDodum_400Regular.ttf')
const MARGIN = 50
const WIDTH = 595 - 2 * MARGIN
const BOTTOM = 780
const ROW_HEIGHT = 16
const MAX_COLUMNS = 8
const SHOWN_LINES = 40

/** Writes the report as a PDF. Rows are placed by hand: the table of pdfkit takes a hundred times as long. */
export async function writeReportPdf(target: string, name: string, extraction: Extraction): Promise<void> {
  const words = reportWords(extraction)
  const document = new PDFDocument({ size: 'A4', margin: MARGIN, bufferPages: true, info: { Title: name } })
  const output = createWriteStream(target)
  document.pipe(output)
  const heading = (text: string) => document.moveDown().fontSize(14).text(text).fontSize(10)
  document.font(font).fontSize(20).text(words.title).fontSize(10)
  document.text(`${name} · ${words.pages(extraction.pages_read, extraction.pages_total)}`)
  heading(words.summary)
  for (const sentence of extraction.summary) document.text(`• ${sentence}`)
  heading(words.facts)
  const facts = extraction.facts.slice(0, SHOWN_FACTS)
  if (facts.length === 0) document.text(words.none)
  else
    writeRows(
      document,
      facts.map((fact) => [words.kinds[fact.kind], factValue(fact), `× ${fact.count}`]),
    )
  if (extraction.warnings.length > 0) heading(words.notes)
  for (const warning of extraction.warnings) document.text(warning)
  heading(`${words.tables} (${extraction.tables.length})`)
  for (const { name: sheet, page, rows } of extraction.tables.slice(0, SHOWN_TABLES)) {
    document.moveDown(0.5).text(sheet ?? `p. ${page}`)
    writeRows(document, rows.slice(0, SHOWN_ROWS))
    if (rows.length > SHOWN_ROWS) document.text(words.more(rows.length - SHOWN_ROWS))
  }
  heading(words.text)
  const lines = extraction.text.flatMap(({ text }) => text.split('\n')).slice(0, SHOWN_LINES)
  document.text(lines.map((line) => line.slice(0, 200)).join('\n'))
  numberPages(document)
  document.end()
  await finished(output)
}

function writeRows(document: PDFKit.PDFDocument, rows: readonly (readonly string[])[]): void {
  const columns = Math.min(MAX_COLUMNS, Math.max(...rows.map(({ length }) => length)))
  const width = WIDTH / columns
  const characters = Math.floor(width / 5)
  let { y } = document
  for (const row of rows) {
    if (y > BOTTOM) {
      document.addPage()
      y = MARGIN
    }
    for (const [column, cell] of row.slice(0, columns).entries()) {
      const text = cell.length > characters ? `${cell.slice(0, characters - 1)}…` : cell
      document.text(text, MARGIN + column * width, y, {
        width: width - 4,
        height: ROW_HEIGHT,
        lineBreak: false,
      })
    }
    y += ROW_HEIGHT
    document
      .moveTo(MARGIN, y - 3)
      .lineTo(MARGIN + WIDTH, y - 3)
      .lineWidth(0.3)
      .stroke()
  }
  document.x = MARGIN
  document.y = y
}

function numberPages(document: PDFKit.PDFDocument): void {
  const { count } = document.bufferedPageRange()
  for (let page = 0; page < count; page++) {
    document.switchToPage(page)
    // Text below the margin would begin a new page.
    document.page.margins.bottom = 0
    document.fontSize(8).text(`${page + 1} / ${count}`, MARGIN, 815, { width: WIDTH, align: 'center' })
  }
}
