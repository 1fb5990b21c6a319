import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '../refusal.ts'
import type { ExtractInput, ExtractOutcome } from '../tasks.ts'
import { analyzeDocument, figuresOf } from './analyze.ts'
import { reportHtml } from './report-html.ts'
import { writeReportPdf } from './report-pdf.ts'

/** Analyzes a document and writes `documentOutputs` into the directory. */
export async function extractDocument(input: ExtractInput, folder: string): Promise<ExtractOutcome> {
  try {
    const extraction = await analyzeDocument(input.file, input.type)
    const { text: _text, tables, ...report } = extraction
    const write = (name: string, content: string) => writeFile(join(folder, name), content)
    await write('extracted.json', JSON.stringify(extraction))
    await write('report.json', JSON.stringify({ name: input.name, ...report, table_count: tables.length }))
    await write('report.html', reportHtml(input.name, extraction))
    await writeReportPdf(join(folder, 'report.pdf'), input.name, extraction)
    return { ok: true, figures: figuresOf(extraction) }
  } catch (err) {
    if (err instanceof Refusal) return { ok: false, code: err.code, detail: err.message }
    throw err
  }
}
