import type { FileType } from '../file-types.ts'
import type { DocumentType } from './extraction.ts'

/** Returns the reader for a file. Undefined: the file cannot be analyzed. */
export function documentTypeOf({
  kind,
  extensions,
}: Pick<FileType, 'kind' | 'extensions'>): DocumentType | undefined {
  if (kind === 'image') return 'image'
  if (extensions.includes('pdf')) return 'pdf'
  return extensions.includes('xlsx') ? 'xlsx' : undefined
}
