import type { DocumentType, ExtractionFigures } from './documents/extraction.ts'
import type { FileType } from './file-types.ts'

/** A file that the worker stores in place of, or beside, the upload. */
export interface Picture {
  readonly variant: 'original' | 'thumb_320' | 'thumb_1280'
  readonly file: string
  readonly mime: string
  /** Size in bytes. */
  readonly size: number
}

export interface CheckInput {
  readonly file: string
  /** The type determined at the upload. */
  readonly mime: string
  readonly kind: FileType['kind']
  readonly purpose: 'attachment' | 'avatar' | 'room_picture' | 'document'
}

export type CheckOutcome =
  | { readonly ok: false; readonly code: string; readonly detail: string }
  | {
      readonly ok: true
      readonly width: number | null
      readonly height: number | null
      readonly durationMs: number | null
      readonly pages: number | null
      readonly preview: string | null
      readonly pictures: readonly Picture[]
    }

export interface ExtractInput {
  readonly file: string
  readonly type: DocumentType
  /** The owner's file name, for the reports. */
  readonly name: string
}

/** The files that a child writes for a document, by name. */
export const documentOutputs = {
  'extracted.json': 'application/json',
  'report.json': 'application/json',
  'report.html': 'text/html; charset=utf-8',
  'report.pdf': 'application/pdf',
} as const

export type ExtractOutcome =
  | { readonly ok: false; readonly code: string; readonly detail: string }
  | { readonly ok: true; readonly figures: ExtractionFigures }

/** Input and output of each task. */
export interface Tasks {
  readonly check: { readonly input: CheckInput; readonly result: CheckOutcome }
  readonly extract: { readonly input: ExtractInput; readonly result: ExtractOutcome }
}

export interface Task<Name extends keyof Tasks> {
  readonly name: Name
  /** The only directory the child may write to. */
  readonly folder: string
  readonly input: Tasks[Name]['input']
}

export type AnyTask = { [Name in keyof Tasks]: Task<Name> }[keyof Tasks]
