import { detect } from 'tinyld'
import type { DocumentType, Extraction, ExtractionFigures, Reading } from './extraction.ts'
import { factsOf } from './facts.ts'
import { summarize } from './summary.ts'

const LANGUAGE_SAMPLE = 5_000

/** Reads a document of any type and extracts language, summary and facts. @throws Refusal */
export async function analyzeDocument(file: string, type: DocumentType): Promise<Extraction> {
  const { pagesTotal, pages, tables, warnings } = await readDocument(file, type)
  const sample = pages
    .map(({ text }) => text)
    .join('\n')
    .slice(0, LANGUAGE_SAMPLE)
  return {
    type,
    language: detect(sample) || null,
    pages_total: pagesTotal,
    pages_read: pages.length,
    warnings,
    summary: summarize(pages),
    facts: factsOf(pages),
    tables,
    text: pages,
  }
}

/** Reads a document. Loads only the reader of its type: parsing a workbook does not load the image reader. */
async function readDocument(file: string, type: DocumentType): Promise<Reading> {
  switch (type) {
    case 'xlsx':
      return (await import('./read-workbook.ts')).readWorkbook(file)
    case 'pdf':
      return (await import('./read-pdf.ts')).readPdf(file)
    case 'image':
      return (await import('./read-image.ts')).readImage(file)
  }
}

export function figuresOf(extraction: Extraction): ExtractionFigures {
  const { language, pages_read: pages, tables, facts, text, summary } = extraction
  const characters = text.reduce((sum, page) => sum + page.text.length, 0)
  return { language, pages, tables: tables.length, facts: facts.length, characters, summary }
}
