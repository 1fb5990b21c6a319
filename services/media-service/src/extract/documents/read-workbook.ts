import { readFile } from 'node:fs/promises'
import { read, utils } from '@e965/xlsx'
import { Refusal } from '../refusal.ts'
import { Allowance, type PageText, type Reading, type Table } from './extraction.ts'

const MAX_SHEETS = 100
const MAX_ROWS = 20_000

/**
 * Reads the sheets of a workbook: every cell as it is shown, dates and amounts in their formats.
 * @throws Refusal DOCUMENT_UNREADABLE
 */
export async function readWorkbook(file: string): Promise<Reading> {
  const workbook = parse(await readFile(file))
  const allowance = new Allowance()
  const pages: PageText[] = []
  const tables: Table[] = []
  const warnings: string[] = []
  const names = workbook.SheetNames.slice(0, MAX_SHEETS)
  if (workbook.SheetNames.length > MAX_SHEETS)
    warnings.push(`Read ${MAX_SHEETS} of ${workbook.SheetNames.length} sheets.`)
  for (const [index, name] of names.entries()) {
    const sheet = workbook.Sheets[name]
    if (!sheet) continue
    const found = utils.sheet_to_json<unknown[]>(sheet, {
      header: 1,
      raw: false,
      defval: '',
      blankrows: true,
    })
    const rows = found.map((row) => Array.from(row, (cell) => String(cell ?? '').trim()))
    if (rows.length >= MAX_ROWS) warnings.push(`Sheet ${name}: read its first ${MAX_ROWS} rows.`)
    const page = index + 1
    pages.push({ page, name, text: allowance.take(rows.map(lineOf).join('\n').trim()) })
    for (const block of blocksOf(rows)) {
      const taken = allowance.takeRows(block)
      if (taken.length < block.length)
        warnings.push(`Sheet ${name}: a table is cut after ${taken.length} rows.`)
      if (taken.length > 0) tables.push({ page, name, rows: taken })
    }
  }
  return { pagesTotal: workbook.SheetNames.length, pages, tables, warnings }
}

function parse(bytes: Buffer) {
  try {
    return read(bytes, { dense: true, cellHTML: false, cellFormula: false, sheetRows: MAX_ROWS })
  } catch {
    throw new Refusal('DOCUMENT_UNREADABLE', 'The workbook cannot be read; it may be broken or protected.')
  }
}

const lineOf = (row: readonly string[]) => row.filter(Boolean).join('\t')

/** Runs of rows without a blank one between them, that have at least two rows and two columns. */
function blocksOf(rows: readonly (readonly string[])[]): string[][][] {
  const blocks: string[][][] = []
  let block: (readonly string[])[] = []
  for (const row of [...rows, []]) {
    if (row.some(Boolean)) {
      block.push(row)
      continue
    }
    const columns = usedColumns(block)
    if (block.length >= 2 && columns.length >= 2)
      blocks.push(block.map((each) => columns.map((column) => each[column] ?? '')))
    block = []
  }
  return blocks
}

function usedColumns(block: readonly (readonly string[])[]): number[] {
  const used = new Set<number>()
  for (const row of block) for (const [column, cell] of row.entries()) if (cell) used.add(column)
  return [...used].sort((a, b) => a - b)
}
