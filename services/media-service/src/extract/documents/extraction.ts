/** Document types that can be analyzed. */
export type DocumentType = 'xlsx' | 'pdf' | 'image'

export interface PageText {
  /** Page of a PDF or sheet of a workbook, from 1. */
  readonly page: number
  /** Name of the sheet. */
  readonly name: string | null
  readonly text: string
}

export interface Table {
  readonly page: number
  readonly name: string | null
  readonly rows: readonly (readonly string[])[]
}

export interface Fact {
  readonly kind: 'date' | 'amount_krw' | 'email' | 'phone' | 'business_number' | 'percent'
  /** Normalized: `2026-03-15`, `12345000`, `02-1234-5678`. */
  readonly value: string
  /** The text of its first occurrence in the document. */
  readonly text: string
  readonly page: number
  readonly count: number
}

/** The output of a reader, before analysis. */
export interface Reading {
  readonly pagesTotal: number
  readonly pages: readonly PageText[]
  readonly tables: readonly Table[]
  /** Omitted parts, as sentences: nothing is dropped silently. */
  readonly warnings: readonly string[]
}

/** The complete result for a document. */
export interface Extraction {
  readonly type: DocumentType
  readonly language: string | null
  readonly pages_total: number
  readonly pages_read: number
  readonly warnings: readonly string[]
  readonly summary: readonly string[]
  readonly facts: readonly Fact[]
  readonly tables: readonly Table[]
  readonly text: readonly PageText[]
}

/** The figures of an extraction shown in lists. */
export interface ExtractionFigures {
  readonly language: string | null
  readonly pages: number
  readonly tables: number
  readonly facts: number
  readonly characters: number
  readonly summary: readonly string[]
}

const MAX_CHARACTERS = 1_000_000
const MAX_CELLS = 200_000

/** Limits the extracted text and rows, so that a document of any size gives a bounded result. */
export class Allowance {
  #characters = MAX_CHARACTERS
  #cells = MAX_CELLS

  /** Returns the text, truncated to the remaining allowance. */
  take(text: string): string {
    const taken = text.slice(0, this.#characters)
    this.#characters -= taken.length
    return taken
  }

  /** Returns the rows within the remaining allowance. */
  takeRows(rows: readonly (readonly string[])[]): (readonly string[])[] {
    const taken: (readonly string[])[] = []
    for (const row of rows) {
      const characters = row.reduce((sum, cell) => sum + cell.length, 0)
      if (this.#cells < row.length || this.#characters < characters) break
      this.#cells -= row.length
      this.#characters -= characters
      taken.push(row)
    }
    return taken
  }
}
